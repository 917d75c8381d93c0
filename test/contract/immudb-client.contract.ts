import { immudbSubject } from './immudb-subject.ts';
import { adminContract } from './immudb-admin.contract.ts';
import { proofsContract } from './immudb-proofs.contract.ts';
import { readsContract } from './immudb-reads.contract.ts';
import { refusalsContract } from './immudb-refusals.contract.ts';
import { sessionsContract } from './immudb-sessions.contract.ts';
import { timeContract } from './immudb-time.contract.ts';
import { writesContract } from './immudb-writes.contract.ts';
import type { StartRig } from './immudb-rigs.ts';

/** What the client promises over immudb 1.11, and what the fake promises with it. One server for all of it. */
export const immudbClientContract = (start: StartRig): void => {
  const the = immudbSubject(start);
  writesContract(the);
  refusalsContract(the);
  readsContract(the);
  proofsContract(the);
  sessionsContract(the);
  timeContract(the);
  adminContract(the);
};
