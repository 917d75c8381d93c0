import { followTo } from '../sinks/immudb/follow.ts';
import { ledgerWatch } from './ledger-watch.ts';

/** How the ledger is proven while a pipeline writes to it. Only the bench takes another one, to tell what it costs. */
export type Proving = {
  /** Trusts the header of a transaction that was written, or rejects. */
  readonly follow: typeof followTo;
  /** Looks at the ledger again and again, beside the writing. */
  readonly watch: typeof ledgerWatch;
};

export const provingAll: Proving = { follow: followTo, watch: ledgerWatch };
