import { describe } from '@jest/globals';
import { immudbClientContract } from './immudb-client.contract.ts';
import { startRealRig } from './immudb-rigs.ts';
import { immudbKeepAliveContract, immudbTlsContract } from './immudb-tls.contract.ts';

describe('immudb client, real', () => immudbClientContract(startRealRig));
describe('immudb client over TLS, real', () => immudbTlsContract(startRealRig));
describe('immudb client kept alive, real', () => immudbKeepAliveContract(startRealRig));
