import { rm } from 'node:fs/promises';
import { alh, type TxHeader } from '../../src/proofs/header.ts';
import type { Tx } from '../../src/sinks/immudb/answers.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import {
  cutBehind,
  deleteIndexes,
  flipBeforeHash,
  forgeEntry,
  replaceIn,
  type Consistency,
  type DatabaseFiles,
} from './immudb-files.ts';
import { isEvent, restore, writeAnew, type Attempt, type Place } from './tampering.ts';

const entryOf = (tx: Tx, prefix: string): number => {
  const at = tx.entries.findIndex(({ storedKey }) => storedKey.subarray(1).toString().startsWith(prefix));
  if (at === -1) throw new Error(`transaction ${tx.header.id.toString()} has no ${prefix}`);
  return at;
};

/** The last letters of the text that a test event carries, so that it stays an event. */
const otherNote = (value: Buffer): Buffer => changed(value, 'xxx', 'yyy');
const changed = (value: Buffer, from: string, to: string): Buffer => {
  const at = value.indexOf(from);
  if (at === -1) throw new Error(`the value has no ${from}`);
  const made = Buffer.from(value);
  made.write(to, at, 'latin1');
  return made;
};

const forge =
  (
    consistency: Consistency,
    more: (files: DatabaseFiles) => void = () => undefined,
    prefix = 'event/',
    change = otherNote,
  ) =>
  ({ files, victim }: Place, turn: number): void => {
    const tx = victim(turn);
    forgeEntry(files, tx, entryOf(tx, prefix), change, consistency);
    more(files);
  };

const lastOf = (txs: readonly Tx[]): Tx => {
  const last = txs.findLast(({ entries }) => isEvent(entries[0]?.storedKey));
  if (last === undefined) throw new Error('no transaction of events');
  return last;
};
const headerAt = (txs: readonly Tx[], fromEnd: number): TxHeader => {
  const tx = txs.at(-1 - fromEnd);
  if (tx === undefined) throw new Error('too few transactions');
  return tx.header;
};

const notFollowed = /^chain \d+: it is not the transaction that \d+ was written after/m;
const corrupted = /LEDGER_CORRUPTED: .*data is corrupted/;
const rolledBack = /^trust null: it ends at transaction \d+, but \d+ was seen: it was rolled back/m;

/** docs/tamper.md has the same attempts, with the same figures. */
export const attempts: readonly Attempt[] = [
  {
    name: 'a byte of a stored event, in the value log',
    tries: 3,
    hurt: forge('value'),
    found: { audit: /^unreadable \d+: its values cannot be read: .*value length or digest mismatch/m, get: corrupted },
  },
  {
    name: 'the event and its hash, in the value log and the transaction log',
    tries: 3,
    hurt: forge('value-and-hash'),
    found: { audit: /^unreadable \d+: it cannot be read: .*ALH mismatch/m, get: corrupted },
  },
  {
    name: 'a bit of the head of a transaction',
    tries: 3,
    // Some way before the hash at its end lies the last entry: its key and its hash.
    hurt: ({ files, victim }, turn) => flipBeforeHash(files, victim(turn).header, 20 + turn),
    found: { audit: /^unreadable \d+: it cannot be read: /m },
  },
  {
    name: 'the same, with the index deleted: it is never built again, and reads by key hang',
    isSample: true,
    tries: 1,
    hurt: ({ files, victim }, turn) => {
      flipBeforeHash(files, victim(turn).header, 20);
      deleteIndexes(files);
    },
    found: { audit: /^unreadable \d+: it cannot be read: .*ALH mismatch[^]*stalled index/m, get: /LEDGER_TIMEOUT/ },
  },
  {
    name: 'a transaction rewritten consistently: event, hash, accumulated hash',
    tries: 3,
    hurt: forge('transaction'),
    found: { audit: notFollowed, get: corrupted },
  },
  {
    name: 'the same, with the index deleted: the server serves the forgery as its own',
    isSample: true,
    tries: 3,
    hurt: forge('transaction', deleteIndexes),
    found: { audit: notFollowed, get: /LEDGER_PROOF_FAILED/ },
  },
  {
    name: 'a row of a posting, consistently, with the index deleted',
    tries: 2,
    hurt: forge('transaction', deleteIndexes, 'time/', (value) => changed(value, '"success"', '"failure"')),
    found: {
      audit:
        /^chain \d+: it is not[^]*^posting \d+: the row of event .* is not what the event says|^posting[^]*^chain/m,
    },
  },
  {
    name: 'a mark, consistently, with the index deleted',
    isSample: true,
    tries: 2,
    hurt: forge('transaction', deleteIndexes, 'mark/', (value) => {
      const at = value.indexOf('"writer":"') + '"writer":"'.length;
      return changed(value, value.toString('latin1', at, at + 4), 'ffff');
    }),
    found: { audit: notFollowed },
  },
  {
    name: 'the last transaction rewritten, with every copy of its hash',
    isSample: true,
    tries: 1,
    hurt: ({ files, txs }) => {
      const tx = lastOf(txs);
      forgeEntry(files, tx, entryOf(tx, 'event/'), otherNote, 'everywhere');
      deleteIndexes(files);
    },
    found: { audit: /^(trust|chain) \d+: /m, run: /LEDGER_PROOF_FAILED/ },
  },
  {
    name: 'a node of the linking tree',
    tries: 2,
    hurt: ({ files, txs }, turn) => {
      // The nodes hold the hashes of leaves: one byte 0 and the accumulated hash, hashed.
      const leaf = sha256(Buffer.concat([Buffer.of(0), alh(headerAt(txs, 12 + turn), sha256)]));
      replaceIn(files.treeNodes, leaf, Buffer.alloc(32, 7));
    },
    found: {},
  },
  {
    name: 'an older copy of the data put in place',
    isSample: true,
    tries: 1,
    hurt: ({ site }) => restore(site.copies.middle, site.stack.immudb.dataDir ?? ''),
    found: { audit: rolledBack, run: /LEDGER_ROLLED_BACK/, get: /LEDGER_ROLLED_BACK/ },
  },
  {
    name: 'an older copy, and the same events written on it anew, past where the ledger was',
    tries: 1,
    hurt: async ({ site }) => {
      await restore(site.copies.middle, site.stack.immudb.dataDir ?? '');
      await writeAnew(site, false);
    },
    found: {
      audit: /^trust \d+: it has another hash than the trusted state knows: the ledger has another past/m,
      run: /LEDGER_PROOF_FAILED/,
      get: /LEDGER_PROOF_FAILED/,
    },
  },
  {
    name: 'another ledger with the same events behind the address',
    tries: 1,
    hurt: async ({ site }) => {
      await rm(site.stack.immudb.dataDir ?? '', { recursive: true });
      await writeAnew(site, true);
    },
    found: {
      audit: /^trust 1: it is not the genesis that is pinned/m,
      run: /GENESIS_MISMATCH/,
      get: /GENESIS_MISMATCH/,
    },
  },
  {
    name: 'the logs cut behind an earlier transaction, with the index deleted',
    tries: 2,
    hurt: ({ files, txs }, turn) => {
      cutBehind(files, headerAt(txs, 3 + turn));
      deleteIndexes(files);
    },
    found: { audit: rolledBack, run: /LEDGER_ROLLED_BACK/, get: /LEDGER_ROLLED_BACK/ },
  },
];
