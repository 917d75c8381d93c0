import { describe } from '@jest/globals';
import { immudbClientContract } from './immudb-client.contract.ts';
import { startFakeRig } from './immudb-rigs.ts';
import { immudbKeepAliveContract, immudbTlsContract } from './immudb-tls.contract.ts';

describe('immudb client, fake', () => immudbClientContract(startFakeRig));
describe('immudb client over TLS, fake', () => immudbTlsContract(startFakeRig));
describe('immudb client kept alive, fake', () => immudbKeepAliveContract(startFakeRig));
