import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { errorTable, type ErrorCode } from '../../src/errors.ts';
import { refusal } from '../fakes/immudb-refusal.ts';
import { startFakeImmudb, type FakeHooks, type FakeImmudb } from '../fakes/immudb-server.ts';
import { load, nothing, testKafka, type Produced } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';

// The whole process against a server that keeps immudb's protocol and does not tell the truth.

type Rig = { readonly fake: FakeImmudb; readonly servers: Addresses; readonly site: Site; readonly produced: Produced };
type After = NonNullable<FakeHooks['after']>;

let kafka: Addresses['kafka'];
let folder: string;
const opened: Rig[] = [];
beforeAll(async () => {
  kafka = (await sharedStack()).kafka;
  folder = await mkdtemp(join(tmpdir(), 'immutrail-lies-'));
}, 120_000);
afterAll(async () => {
  for (const { site, fake } of opened) {
    await site.close();
    await fake.close();
  }
  await rm(folder, { recursive: true, force: true });
});

const openRig = async (): Promise<Rig> => {
  const fake = await startFakeImmudb();
  const { host, port, username, password } = fake;
  const passwordFile = join(folder, `password-${port}`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  const servers = { kafka, immudb: { host, port, username, passwordFile } };
  const site = await openSite(servers, { partitions: 1 });
  const rig = { fake, servers, site, produced: nothing() };
  opened.push(rig);
  return rig;
};

const produce = ({ servers, site, produced }: Rig, count = 300) =>
  load(servers, { topic: site.topic, count }, produced);

/** One honest run from start to stop, so that there are marks, committed offsets and a trusted state. */
const honestRun = async ({ site }: Rig): Promise<void> => {
  const running = await site.run();
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
};

const onKafka = async ({ servers, site }: Rig): Promise<{ committed: string[]; dead: string[] }> => {
  const admin = testKafka(servers).admin();
  await admin.connect();
  try {
    const [group] = await admin.fetchOffsets({ groupId: site.group, topics: [site.topic] });
    const letters = await admin.fetchTopicOffsets(site.deadLetterTopic);
    return {
      committed: (group?.partitions ?? []).map(({ offset }) => offset),
      dead: letters.map(({ high }) => high).filter((high) => high !== '0'),
    };
  } finally {
    await admin.disconnect();
  }
};

const expectHalt = async (running: Running, code: ErrorCode, says: RegExp): Promise<void> => {
  const { code: exit } = await running.exited;
  expect([exit, running.output()]).toEqual([errorTable[code].exitCode, expect.stringContaining(code)]);
  expect(running.output()).toMatch(says);
  expect(running.output()).toContain(errorTable[code].advice);
};

const flipped = (bytes: unknown): Buffer => {
  const other = Buffer.from(bytes as Uint8Array);
  other[0] = (other[0] ?? 0) ^ 1;
  return other;
};

/**
 * Answers to Set that are lies, from the first write of the process on. The look at the ledger that is made each second
 * may have proven the transaction before the lie about it is read: then it has another header.
 */
const lies: readonly [
  what: string,
  lie: (answer: Record<string, unknown>) => Record<string, unknown>,
  code: ErrorCode,
  says: RegExp,
][] = [
  ['a wrong root', (told) => ({ ...told, eH: flipped(told['eH']) }), 'LEDGER_HEADER_MISMATCH', /entries are not those/],
  [
    'a wrong entry count',
    (told) => ({ ...told, nentries: Number(told['nentries']) - 1 }),
    'LEDGER_HEADER_MISMATCH',
    /entries are not those/,
  ],
  [
    'an old id',
    (told) => ({ ...told, id: 2n, blTxId: 1n }),
    'LEDGER_HEADER_MISMATCH',
    /transaction 2, but .* there before/,
  ],
  ['an id of the future', (told) => ({ ...told, id: 1_000_000n }), 'LEDGER_PROOF_FAILED', /missing below|is due/],
  [
    'another transaction before it',
    (told) => ({ ...told, prevAlh: flipped(told['prevAlh']) }),
    'LEDGER_PROOF_FAILED',
    /follows another transaction|another header than was acknowledged/,
  ],
  [
    'another past',
    (told) => ({ ...told, blRoot: flipped(told['blRoot']) }),
    'LEDGER_PROOF_FAILED',
    /states another linking tree|another header than was acknowledged/,
  ],
];

test.each(lies)(
  'a write acknowledged with %s halts before anything is committed',
  async (_, lie, code, says) => {
    const rig = await openRig();
    await produce(rig);
    rig.fake.hooks.after = ({ method }, answer) => (method === 'Set' ? lie(answer) : answer);
    await expectHalt(await rig.site.run(), code, says);
    expect(await onKafka(rig)).toEqual({ committed: ['-1'], dead: [] });

    // What was written while the server lied is found again when it tells the truth: nothing lost, nothing twice.
    rig.fake.hooks.after = undefined;
    await honestRun(rig);
    await expectAccounted(rig.servers, rig.site, rig.produced);
  },
  90_000,
);

test('a later write acknowledged under the id of the one before halts', async () => {
  const rig = await openRig();
  await produce(rig);
  const running = await rig.site.run();
  await running.ready();
  await untilCaughtUp(rig.site);
  const before = await onKafka(rig);
  const last = BigInt(rig.fake.database(rig.site.database).chain.txs.length);
  rig.fake.hooks.after = ({ method }, answer) => (method === 'Set' ? { ...answer, id: last } : answer);
  await produce(rig, 50);
  await expectHalt(running, 'LEDGER_HEADER_MISMATCH', /there before/);
  expect(await onKafka(rig)).toEqual({ ...before, committed: ['300'] });
}, 90_000);

/** Lies to a process that starts on a ledger that was written honestly. */
const laterLies: readonly [what: string, lie: (rig: Rig) => After, code: ErrorCode, says: RegExp][] = [
  [
    'a mark with another value',
    () =>
      ({ method, request }, answer) => {
        if (method !== 'GetAll' || !isAbout(request, 'mark/')) return answer;
        return withValues(answer, (value) => value.replace(/"stored":\d+/, '"stored":0'));
      },
    'LEDGER_PROOF_FAILED',
    /mark\/0001\/00000 as served is not in transaction/,
  ],
  [
    'the mark of a transaction before',
    ({ fake, site }) =>
      ({ method, request }, answer) => {
        if (method !== 'GetAll' || !isAbout(request, 'mark/')) return answer;
        const entries = (answer['entries'] as { tx: bigint }[]).map((entry) => ({ ...entry, tx: 2n }));
        expect(fake.database(site.database).chain.txs.length).toBeGreaterThan(2);
        return { entries };
      },
    'LEDGER_PROOF_FAILED',
    /as served is not in transaction 2/,
  ],
  [
    'a state that lies behind the trusted one',
    ({ fake, site }) =>
      ({ method }, answer) => {
        const old = fake.database(site.database).chain.txs[1];
        if (method !== 'CurrentState' || old === undefined) return answer;
        return { ...answer, txId: old.header.id, txHash: old.alh };
      },
    'LEDGER_ROLLED_BACK',
    /immudb ends at 2/,
  ],
  [
    'a state of the same transaction with another hash',
    () =>
      ({ method }, answer) =>
        method === 'CurrentState' ? { ...answer, txHash: flipped(answer['txHash']) } : answer,
    'LEDGER_PROOF_FAILED',
    /another hash/,
  ],
];

test.each(laterLies)(
  'a start on %s halts and stores nothing',
  async (_, lie, code, says) => {
    const rig = await openRig();
    await produce(rig);
    await honestRun(rig);
    const before = await onKafka(rig);
    const transactions = rig.fake.database(rig.site.database).chain.txs.length;
    await produce(rig, 100);
    rig.fake.hooks.after = lie(rig);
    await expectHalt(await rig.site.run(), code, says);
    expect(await onKafka(rig)).toEqual(before);
    expect(rig.fake.database(rig.site.database).chain.txs.length).toBe(transactions);

    rig.fake.hooks.after = undefined;
    await honestRun(rig);
    await expectAccounted(rig.servers, rig.site, rig.produced);
  },
  90_000,
);

test('events said to exist that are not in their transaction halt: no record is taken for a duplicate', async () => {
  const rig = await openRig();
  await produce(rig);
  rig.fake.hooks.before = ({ method }) => {
    if (method === 'Set') throw refusal(9, 'precondition failed: KeyNotModifiedAfterTxID');
  };
  rig.fake.hooks.after = ({ method, request }, answer) => {
    if (method !== 'GetAll' || !isAbout(request, 'event/')) return answer;
    const entries = (request['keys'] as Buffer[]).map((key) => ({ key, value: Buffer.from('{}'), tx: 2n }));
    return { entries };
  };
  await expectHalt(
    await rig.site.run(),
    'LEDGER_PROOF_FAILED',
    /event\/[0-9a-f-]{36} as served is not in transaction 2/,
  );
  expect(await onKafka(rig)).toEqual({ committed: ['-1'], dead: [] });
  expect(rig.fake.database(rig.site.database).chain.txs.length).toBe(2);
}, 90_000);

test('writes that are refused for no reason at all halt after a bounded number of attempts', async () => {
  const rig = await openRig();
  await produce(rig);
  rig.fake.hooks.before = ({ method }) => {
    if (method === 'Set') throw refusal(9, 'precondition failed: KeyNotModifiedAfterTxID');
  };
  const before = rig.fake.calls('Set');
  const running = await rig.site.run({ IMMUTRAIL_LEDGER_MAX_RETRIES: '3' });
  await expectHalt(running, 'LEDGER_CONTENDED', /nothing explains it/);
  expect(rig.fake.calls('Set') - before).toBe(4);
  expect(await onKafka(rig)).toEqual({ committed: ['-1'], dead: [] });
}, 90_000);

const isAbout = (request: Record<string, unknown>, prefix: string): boolean =>
  (request['keys'] as Buffer[]).some((key) => key.toString().startsWith(prefix));

const withValues = (answer: Record<string, unknown>, change: (value: string) => string) => ({
  entries: (answer['entries'] as { value: Buffer }[]).map((entry) => ({
    ...entry,
    value: Buffer.from(change(entry.value.toString())),
  })),
});
