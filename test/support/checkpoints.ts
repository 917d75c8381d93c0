import fc from 'fast-check';
import { formatCheckpoint, checkpointHash, type Checkpoint } from '../../src/proofs/checkpoint.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';

export const digest = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

/** A first checkpoint of some ledger. */
export const someCheckpoint: Checkpoint = {
  ledgerId: '0198c2f4-7c1e-4abc-8def-0123456789ab',
  tx: { id: 1234n, alh: digest(0xa1) },
  genesis: digest(0x01),
  sequence: 1n,
  epoch: 1n,
  previous: null,
  time: '2026-01-31T12:00:00.000Z',
  signedState: null,
  covers: [
    { log: 1, partition: 0, next: 5000n },
    { log: 1, partition: 1, next: 0n },
    { log: 3, partition: 0, next: 9_223_372_036_854_775_807n },
  ],
};

/** The one that follows, with these changes. */
export const successorOf = (before: Checkpoint, changes: Partial<Checkpoint> = {}): Checkpoint => ({
  ...before,
  tx: { id: before.tx.id + 1n, alh: digest(0xa2) },
  sequence: before.sequence + 1n,
  previous: checkpointHash(formatCheckpoint(before), sha256),
  time: '2026-01-31T12:00:05.000Z',
  ...changes,
});

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
const numbers = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
const lanes = fc.record({
  log: fc.integer({ min: 0, max: 9999 }),
  partition: fc.integer({ min: 0, max: 99_999 }),
  next: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
});

export const checkpoints: fc.Arbitrary<Checkpoint> = fc
  .record({
    ledgerId: fc.uuid(),
    tx: fc.record({ id: numbers, alh: digests }),
    genesis: digests,
    sequence: numbers,
    epoch: numbers,
    link: digests,
    time: fc
      .date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    signedState: fc.option(
      fc.record({
        database: fc.stringMatching(/^[a-z0-9]{1,20}$/),
        signature: fc.uint8Array({ minLength: 1, maxLength: 72 }),
      }),
    ),
    covers: fc
      .uniqueArray(lanes, { selector: ({ log, partition }) => log * 100_000 + partition, maxLength: 20 })
      .map((all) => all.toSorted((a, b) => a.log - b.log || a.partition - b.partition)),
  })
  .map(({ link, ...rest }) => ({
    ...rest,
    tx: rest.tx.id === 1n ? { id: 1n, alh: rest.genesis } : rest.tx,
    previous: rest.sequence === 1n ? null : link,
  }));
