import { expect, test } from '@jest/globals';
import { ledgerSettings, openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { load, testEvent, testKafka } from '../support/load.ts';
import { ownSites } from '../support/own-sites.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';
import { connect, createDatabase, someEntries, write } from '../support/written-ledger.ts';

const { stack, open, send } = ownSites();

const admin = async <T>(work: (admin: ReturnType<ReturnType<typeof testKafka>['admin']>) => Promise<T>): Promise<T> => {
  const client = testKafka(stack()).admin();
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.disconnect();
  }
};

test('init makes a database with the settings of a ledger', async () => {
  const site = await open({ partitions: 1 });
  const { host, port, username, passwordFile } = stack().immudb;
  const ledgerAdmin = await openLedgerAdmin({ host, port, username, password: passwordFromFile(passwordFile) });
  const all = await ledgerAdmin.databaseList().finally(() => ledgerAdmin.close());
  expect(all.find(({ name }) => name === site.database)?.settings).toMatchObject(ledgerSettings);
}, 60_000);

test('what is not the ledger of this group is refused at once, with advice and no stack', async () => {
  const site = await open({ partitions: 1 });
  const other = await open({ partitions: 1 });
  const foreign = `foreign${site.database}`;
  await createDatabase(stack().immudb, foreign);
  const stranger = await connect(stack().immudb, foreign);
  await write(stranger, someEntries(1, 3));
  await stranger.close();
  const cases: [string, Record<string, string>, number, string][] = [
    ['another group', { IMMUTRAIL_KAFKA_GROUP: 'other' }, 23, 'LEDGER_FOREIGN'],
    ['another genesis', { IMMUTRAIL_LEDGER_GENESIS: 'ab'.repeat(32) }, 46, 'GENESIS_MISMATCH'],
    ['a missing database', { IMMUTRAIL_LEDGER_DATABASE: 'nosuchdatabase' }, 12, 'LEDGER_DATABASE_MISSING'],
    ['another ledger', { IMMUTRAIL_LEDGER_DATABASE: other.database }, 46, 'GENESIS_MISMATCH'],
    ['a foreign database', { IMMUTRAIL_LEDGER_DATABASE: foreign, IMMUTRAIL_LEDGER_GENESIS: '' }, 23, 'LEDGER_FOREIGN'],
    ['a wrong user', { IMMUTRAIL_LEDGER_USERNAME: 'nobody' }, 11, 'LEDGER_CREDENTIALS'],
    [
      'an unreachable immudb',
      { IMMUTRAIL_LEDGER_PORT: '1', IMMUTRAIL_LEDGER_START_TIMEOUT_MS: '2000', IMMUTRAIL_LEDGER_DEADLINE_MS: '500' },
      75,
      'LEDGER_UNAVAILABLE',
    ],
    ['a missing topic', { IMMUTRAIL_KAFKA_TOPIC: 'no.such.topic' }, 68, 'KAFKA_TOPIC_UNSUITABLE'],
  ];
  for (const [what, env, code, name] of cases) {
    const running = await site.run(env);
    expect([what, (await running.exited).code]).toEqual([what, code]);
    expect(running.output()).toContain(name);
    expect(running.output()).toContain('"advice"');
  }
  expect((await accountSite(stack(), site)).transactions).toBe(2n);
}, 180_000);

test('a topic deleted and made anew halts, running or stopped, until a person reopens the log', async () => {
  const site = await open({ partitions: 2 });
  await load(stack(), { topic: site.topic, count: 300 });
  const first = await site.run();
  await first.ready();
  await untilCaughtUp(site);
  const anew = () =>
    admin(async (client) => {
      await client.deleteTopics({ topics: [site.topic] });
      await until(async () => !(await client.listTopics()).includes(site.topic), { what: 'the topic to be gone' });
      await until(
        () =>
          client
            .createTopics({ topics: [{ topic: site.topic, numPartitions: 2, replicationFactor: 1 }] })
            .catch(() => false),
        { what: 'the topic to be made' },
      );
    });
  await anew();
  await load(stack(), { topic: site.topic, count: 500 });
  await until(() => first.output().includes('LOG_REPLACED'), { timeoutMs: 60_000, what: 'the halt' }).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${first.output().slice(-6000)}`);
    },
  );
  expect((await first.exited).code).toBe(40);
  const second = await site.run();
  expect((await second.exited).code).toBe(40);
  const before = await accountSite(stack(), site);

  // Partition 0 looks like one that lost records; 1 is shorter than what is covered of it.
  await anew();
  const events = Array.from({ length: 400 }, () => ({ partition: 0, value: JSON.stringify(testEvent()) }));
  await send(site, events);
  await admin(async (client) => {
    await client.fetchTopicOffsets(site.topic);
    await client.deleteTopicRecords({ topic: site.topic, partitions: [{ partition: 0, offset: '390' }] });
  });
  const accepted = await site.command(['gap', 'accept', '0', '--by', 'test', '--why', 'looks like a loss']);
  expect([accepted.code, accepted.err]).toEqual([40, expect.stringContaining('LOG_REPLACED')]);
  expect((await accountSite(stack(), site)).transactions).toBe(before.transactions);
  const produced = await load(stack(), { topic: site.topic, count: 500 });

  const reopened = await site.command(['log', 'reopen', '--by', 'test', '--why', 'the topic was made anew']);
  expect([reopened.code, reopened.err]).toEqual([0, '']);
  const third = await site.run();
  await third.ready();
  await untilCaughtUp(site);
  third.kill('SIGTERM');
  expect((await third.exited).code).toBe(0);
  const after = await accountSite(stack(), site);
  expect([...produced.ids].filter((id) => !after.events.has(id))).toEqual([]);
  expect(after.events.size).toBe(before.events.size + 10 + produced.ids.size);
}, 180_000);

test('records deleted before they were stored hold their partition until a person accepts the loss', async () => {
  const site = await open({ partitions: 2 });
  const produced = await load(stack(), { topic: site.topic, count: 400 });
  const first = await site.run();
  await first.ready();
  await untilCaughtUp(site);
  first.kill('SIGTERM');
  await first.exited;
  await load(stack(), { topic: site.topic, count: 400 });
  await admin(async (client) => {
    const [end] = (await client.fetchTopicOffsets(site.topic)).filter(({ partition }) => partition === 0);
    const partitions = [{ partition: 0, offset: String(BigInt(end?.high ?? 0) - 10n) }];
    await client.deleteTopicRecords({ topic: site.topic, partitions });
  });
  const second = await site.run();
  const readyz = async () => (await fetch(`${second.url}/readyz`).catch(() => null))?.text() ?? '';
  await until(async () => (await readyz()).includes('no-partition-held'), { timeoutMs: 60_000, what: 'the hold' });
  expect(produced.ids.size).toBe(400);
  const accepted = await site.command(['gap', 'accept', '0', '--by', 'test', '--why', 'retention was too short']);
  expect([accepted.code, accepted.err]).toEqual([0, '']);
  await second.ready();
  await untilCaughtUp(site);
  second.kill('SIGTERM');
  expect((await second.exited).code).toBe(0);
  const account = await accountSite(stack(), site);
  expect(account.partitions.find(({ partition }) => partition === 0)?.gaps).toBeGreaterThan(0n);
  expect(account.partitions.find(({ partition }) => partition === 1)?.gaps).toBe(0n);
}, 180_000);

test('aborted transactions are gaps, and a trailing marker leaves no lag', async () => {
  const site = await open({ partitions: 1 });
  const kafka = testKafka(stack());
  const producer = kafka.producer({ transactionalId: site.group, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  for (const isAborted of [true, false, true]) {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: site.topic,
      messages: Array.from({ length: 300 }, () => ({ value: `{"aborted":${isAborted}}` })),
    });
    await (isAborted ? transaction.abort() : transaction.commit());
  }
  await producer.disconnect();
  const running = await site.run({ IMMUTRAIL_KAFKA_FETCH_MAX_BYTES_PER_PARTITION: '16384' });
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
  const [partition] = (await accountSite(stack(), site)).partitions;
  expect(partition).toMatchObject({ first: 0n, next: 903n, stored: 0n, dead: 300n, gaps: 603n });
}, 120_000);
