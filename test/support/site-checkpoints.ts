import { expect } from '@jest/globals';
import { noteTopic } from '../../src/consumers/kafka/note-topic.ts';
import { openCheckpoint, requireSuccessor, type Checkpoint } from '../../src/proofs/checkpoint.ts';
import type { Coverage } from '../../src/proofs/checkpoint-coverage.ts';
import { alh } from '../../src/proofs/header.ts';
import { hexOfBytes } from '../../src/proofs/hex.ts';
import { parseNoteKey } from '../../src/proofs/note-key.ts';
import { openLedgerClient } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { decodeMark } from '../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../src/sinks/immudb/format/parse-key.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { verifyEd25519 } from '../../src/sinks/checkpoints/ed25519.ts';
import { testKafka } from './load.ts';
import type { Addresses, Site } from './pipeline-process.ts';

/** Every note on the topic of checkpoints, oldest first. */
export const notesOf = async (stack: Addresses, site: Pick<Site, 'topic'>): Promise<string[]> => {
  const topic = noteTopic(testKafka(stack), `${site.topic}.checkpoints`);
  try {
    const notes: string[] = [];
    for (let { start: next } = await topic.bounds(); ;) {
      const records = await topic.read(next);
      for (const { value } of records) if (value !== null) notes.push(value.toString());
      const last = records.at(-1);
      if (last === undefined) return notes;
      next = last.offset + 1n;
    }
  } finally {
    await topic.close();
  }
};

/** Fails unless each is signed with this key and follows the one before. */
export const expectChained = (notes: readonly string[], publicKey: string): Checkpoint[] => {
  const opened = notes.map((note) => openCheckpoint(note, [parseNoteKey(publicKey, sha256)], verifyEd25519));
  for (const [i, { checkpoint }] of opened.entries()) {
    const before = opened[i - 1];
    if (before === undefined) expect(checkpoint.sequence).toBe(1n);
    else requireSuccessor(before.note.text, checkpoint, sha256);
  }
  return opened.map(({ checkpoint }) => checkpoint);
};

/** Fails unless each states the hash and the coverage that a reader of every transaction finds up to there. */
export const expectExact = async (stack: Addresses, site: Site, checkpoints: readonly Checkpoint[]): Promise<void> => {
  const { host, port, username, passwordFile } = stack.immudb;
  const password = passwordFromFile(passwordFile);
  const client = await openLedgerClient({ host, port, username, password, database: site.database });
  try {
    const states = new Map<bigint, { hash: string; covers: Coverage[] }>();
    const newest = new Map<string, Coverage>();
    for (let from = 1n; ;) {
      const txs = await client.txScan(from, 8, 'raw');
      for (const { header, entries } of txs) {
        for (const { storedKey, storedValue } of entries) {
          const key = storedKey.subarray(1).toString();
          const parsed = parseKey(key);
          if (parsed.kind !== 'mark') continue;
          const { next } = decodeMark(key, storedValue.subarray(1));
          newest.set(key, { log: parsed.log, partition: parsed.partition, next });
        }
        const covers = [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, covered]) => covered);
        states.set(header.id, { hash: hexOfBytes(alh(header, sha256)), covers });
      }
      if (txs.length === 0) break;
      from += BigInt(txs.length);
    }
    for (const { tx, covers } of checkpoints)
      expect([tx.id, { hash: hexOfBytes(tx.alh), covers }]).toEqual([tx.id, states.get(tx.id)]);
  } finally {
    await client.close();
  }
};
