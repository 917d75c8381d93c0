import { describe, expect, test } from '@jest/globals';
import { PipelineError } from '../../../../src/errors.ts';
import { openCheckpoint, requireSuccessor, type SignedCheckpoint } from '../../../../src/proofs/checkpoint.ts';
import { newestCheckpoint } from '../../../../src/sinks/checkpoints/newest.ts';
import { newestOfLog } from '../../../../src/sinks/checkpoints/note-log.ts';
import { checkpointPublisher, type PublisherOptions } from '../../../../src/sinks/checkpoints/publisher.ts';
import { digest, someCheckpoint } from '../../../support/checkpoints.ts';
import { nodeCrypto, testSeed } from '../../../support/note-crypto.ts';
import { until } from '../../../support/until.ts';

const signer = nodeCrypto.signerOf(testSeed('immutrail.test'));
const { ledgerId } = someCheckpoint;

/** A topic in memory, of two records a read; the next append may be made to fail, before or after it happened. */
const topicOf = (notes: string[] = []) => {
  let fault: 'before' | 'after' | null = null;
  return {
    notes,
    failOnce: (when: 'before' | 'after') => (fault = when),
    append: (note: string) => {
      const failing = fault;
      fault = null;
      if (failing !== 'before') notes.push(note);
      if (failing !== null) return Promise.reject(new PipelineError('KAFKA_UNAVAILABLE', 'the broker is away'));
      return Promise.resolve(BigInt(notes.length - 1));
    },
    bounds: () => Promise.resolve({ start: 0n, end: BigInt(notes.length) }),
    read: (from: bigint) =>
      Promise.resolve(
        notes.slice(Number(from), Number(from) + 2).map((note, i) => ({
          offset: from + BigInt(i),
          value: Buffer.from(note),
        })),
      ),
  };
};

/** A ledger in memory that grows by `grow`, and a publisher of it whose time stands still between two ticks. */
const setUp = (topic = topicOf(), changes: Partial<PublisherOptions> = {}) => {
  const told: string[] = [];
  const halts: string[] = [];
  const folder: string[] = [];
  let tx = 2n;
  let covered = 0n;
  let nowMs = 0;
  let tick: (() => void) | null = null;
  const alhOf = (id: bigint) => digest(Number(id));
  const keys = [signer.key];
  const publisher = checkpointPublisher({
    view: {
      ledgerId,
      database: 'immutrail',
      genesis: digest(1),
      present: () => Promise.resolve({ id: tx, alh: alhOf(tx), signature: null }),
      coverageAt: () => Promise.resolve([{ log: 1, partition: 0, next: covered }]),
      requireHolds: ({ id, alh }) =>
        id <= tx && Buffer.from(alh).equals(alhOf(id))
          ? Promise.resolve()
          : Promise.reject(new PipelineError('LEDGER_PROOF_FAILED', 'another past')),
      signers: [signer],
      wallMs: () => 1_767_225_600_000 + nowMs,
    },
    topic,
    writeToFolder: (note) => Promise.resolve(void folder.push(note)),
    newest: () => newestCheckpoint([newestOfLog(topic)], { keys, ledgerId }),
    everyMs: 1000,
    idleMs: 60_000,
    happenings: {
      published: ({ sequence, epoch, tx: at }) => told.push(`published ${sequence}/${epoch} at ${at}`),
      failed: ({ code }) => told.push(`failed ${code}`),
      owning: (owns) => told.push(owns ? 'owns' : 'owns not'),
    },
    halt: ({ code }) => halts.push(code),
    now: () => nowMs,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        tick = () => {
          nowMs += ms;
          resolve(undefined);
        };
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      }),
    ...changes,
  });
  return {
    ...{ topic, told, halts, folder, publisher },
    grow: (by = 1n) => {
      tx += by;
      covered += 10n * by;
    },
    rewind: () => (tx -= 2n),
    uncover: () => (covered = 0n),
    skipMs: (ms: number) => (nowMs += ms),
    /** One round of the loop, to its end. */
    round: async () => {
      await until(() => tick !== null, { what: 'the publisher to wait' });
      const run = tick;
      tick = null;
      run?.();
      await until(() => tick !== null, { what: 'the round to end' });
    },
  };
};

const opened = (notes: readonly string[]): SignedCheckpoint[] =>
  notes.map((note) => openCheckpoint(note, [signer.key], nodeCrypto.verify));

const expectChained = (notes: readonly string[]) => {
  const all = opened(notes);
  for (const [i, { checkpoint }] of all.entries()) {
    const before = all[i - 1];
    if (before !== undefined) requireSuccessor(before.note.text, checkpoint, nodeCrypto.hash);
  }
  return all.map(({ checkpoint }) => checkpoint);
};

describe('the owner', () => {
  test('publishes while the ledger grows, each naming the one before', async () => {
    const site = setUp();
    site.publisher.own(true);
    for (let i = 0; i < 3; i += 1) {
      site.grow();
      await site.round();
    }
    const all = expectChained(site.topic.notes);
    expect(all.map(({ sequence, epoch, tx }) => [sequence, epoch, tx.id])).toEqual([
      [1n, 1n, 3n],
      [2n, 1n, 4n],
      [3n, 1n, 5n],
    ]);
    expect(all.at(-1)?.covers).toEqual([{ log: 1, partition: 0, next: 30n }]);
    expect(site.folder).toEqual(site.topic.notes);
  });

  test('is quiet while nothing changes, but for one an hour', async () => {
    const site = setUp();
    site.publisher.own(true);
    for (let i = 0; i < 5; i += 1) await site.round();
    expect(site.topic.notes).toHaveLength(1);
    site.skipMs(60_000);
    await site.round();
    await site.round();
    expect(expectChained(site.topic.notes)).toHaveLength(2);
  });

  test('publishes a last time when it stops', async () => {
    const site = setUp();
    site.publisher.own(true);
    await site.round();
    site.grow();
    await site.publisher.stop();
    expect(expectChained(site.topic.notes).at(-1)?.tx.id).toBe(3n);
  });

  test('who is not the owner publishes nothing, also not when it stops', async () => {
    const site = setUp();
    site.grow();
    await site.round();
    site.publisher.own(true);
    site.publisher.own(false);
    await site.round();
    await site.publisher.stop();
    expect(site.topic.notes).toEqual([]);
  });

  test('takes over where another one ended, with an epoch of its own', async () => {
    const first = setUp();
    first.publisher.own(true);
    first.grow(5n);
    await first.round();
    const second = setUp(first.topic);
    second.grow(6n);
    second.publisher.own(true);
    await second.round();
    // The first does not know yet that it is not the owner any more: it reads, since the topic does not end with its own.
    first.grow(6n);
    await first.round();
    expect(expectChained(first.topic.notes).map(({ epoch }) => epoch)).toEqual([1n, 2n, 3n]);
  });

  test('passes over what others wrote onto the topic', async () => {
    const site = setUp(topicOf(['junk', '', '\n\n', 'more\n\n— x AAAAAAAA\n']));
    site.publisher.own(true);
    await site.round();
    site.grow();
    site.topic.notes.push('junk again');
    await site.round();
    expect(expectChained(site.topic.notes.filter((note) => note.startsWith('immutrail/')))).toHaveLength(2);
  });
});

describe('a failure', () => {
  test('holds nothing up and is tried again', async () => {
    const site = setUp();
    site.publisher.own(true);
    site.topic.failOnce('before');
    await site.round();
    expect(site.told).toEqual(['owns', 'failed KAFKA_UNAVAILABLE']);
    await site.round();
    expect(expectChained(site.topic.notes)).toHaveLength(1);
    expect(site.halts).toEqual([]);
  });

  test('after the note had arrived: it is known again as ours, and nothing is forked', async () => {
    const site = setUp();
    site.publisher.own(true);
    await site.round();
    site.grow();
    site.topic.failOnce('after');
    await site.round();
    site.grow();
    await site.round();
    expect(expectChained(site.topic.notes).map(({ sequence, epoch }) => [sequence, epoch])).toEqual([
      [1n, 1n],
      [2n, 1n],
      [3n, 1n],
    ]);
  });

  test('of the folder keeps the notes until it takes them', async () => {
    const kept: string[] = [];
    let isAway = true;
    const writeToFolder = (note: string) =>
      isAway ? Promise.reject(new Error('no space left')) : Promise.resolve(void kept.push(note));
    const site = setUp(topicOf(), { writeToFolder });
    site.publisher.own(true);
    await site.round();
    site.grow();
    await site.round();
    expect(site.told.filter((line) => line === 'failed UNEXPECTED')).toHaveLength(2);
    isAway = false;
    await site.round();
    expect(kept).toEqual(site.topic.notes);
    expect([kept.length, site.halts]).toEqual([2, []]);
  });
});

describe('a ledger that is not what was signed of it halts', () => {
  test('when it was rewound below the last checkpoint', async () => {
    const site = setUp();
    site.publisher.own(true);
    site.grow(5n);
    await site.round();
    site.rewind();
    site.skipMs(60_000);
    await site.round();
    expect(site.halts).toEqual(['LEDGER_ROLLED_BACK']);
    expect(site.topic.notes).toHaveLength(1);
  });

  test('when another process takes over and finds another past', async () => {
    const first = setUp();
    first.publisher.own(true);
    first.grow(9n);
    await first.round();
    const second = setUp(first.topic);
    second.publisher.own(true);
    await second.round();
    expect(second.halts).toEqual(['LEDGER_PROOF_FAILED']);
  });

  test('when its coverage went back', async () => {
    const site = setUp();
    site.publisher.own(true);
    site.grow(5n);
    await site.round();
    site.grow();
    site.uncover();
    await site.round();
    expect(site.halts).toEqual(['LEDGER_PROOF_FAILED']);
  });
});
