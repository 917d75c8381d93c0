import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { deadLetterDesk } from '../../src/redrive/desk.ts';
import type { DeskPorts } from '../../src/redrive/desk-ports.ts';
import { seededRandom } from '../../src/producers/random.ts';
import type { RedriveOrder } from '../../src/redrive/redrive.ts';
import { openDeskPorts } from '../../src/wire/dead-letters.ts';
import { dlqOf, type Json } from '../support/dlq-desk.ts';
import { testEvent } from '../support/load.ts';
import { idOf, ownSites, spread } from '../support/own-sites.ts';
import type { Running, Site } from '../support/pipeline-process.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

// Redrives on the real servers that are killed, raced and crashed at every step.

const { stack, open, send } = ownSites();
const reason = (by: string) => ['--by', by, '--why', 'release 7, ticket 4711'];

/** Every event is stored once, every offset accounted for, and each act is an event. */
const expectAll = async (site: Site, events: readonly Json[]) => {
  const account = await accountSite(stack(), site);
  expect(events.map(idOf).filter((id) => !account.events.has(id))).toEqual([]);
  return account;
};

test('a bad deploy, from the breaker to depth zero: killed half way, resumed, and a second time nothing to do', async () => {
  const partitions = 4;
  const all = 50_000;
  const site = await open({ partitions });
  const { json } = dlqOf(site);
  const good = Array.from({ length: all - 10_000 }, () => testEvent());
  const wrong = Array.from({ length: 5000 }, () => testEvent({ event_outcome: 'SUCCESS' }));
  const lacking = Array.from({ length: 4800 }, () => testEvent({ version: undefined }));
  const cut = Array.from({ length: 200 }, () => testEvent());
  const half = good.length / 2;
  await send(site, [
    ...spread(good.slice(0, half), partitions),
    ...spread([...wrong, ...lacking], partitions),
    ...spread(cut, partitions).map(({ partition, value }) => ({ partition, value: value.slice(0, -20) })),
    ...spread(good.slice(half), partitions),
  ]);
  const running = await site.run();
  await until(async () => ((await json('breaker'))['held'] as Json[]).length === partitions, {
    ...{ timeoutMs: 240_000, everyMs: 2000, what: 'the breaker to hold every partition' },
  });
  // It cannot know before breaker.maxRun: so many of each partition at most are buried by then.
  expect(Number((await json('dlq', 'status'))['depth'])).toBeLessThanOrEqual(partitions * 500);
  await json('breaker', 'release', ...reason('ada'));
  await untilCaughtUp(site, 240_000);
  expect(await json('dlq', 'status')).toMatchObject({ depth: 10_000 });
  await expectAll(site, good);

  const edit = ['--code', 'OUTCOME_INVALID', '--set', 'event_outcome=success'];
  expect(await json('dlq', 'fix', ...edit, '--dry-run')).toMatchObject({ eligible: 5000 });
  const killed = await killHalfWay(site, ['dlq', 'fix', ...edit, '--rate', '250', ...reason('ada')], 1500);
  const began = performance.now();
  const resumed = await json('dlq', 'redrive', '--resume', killed, '--rate', '100000', ...reason('grace'));
  const seconds = (performance.now() - began) / 1000;
  console.info(`resumed: ${String(resumed['sent'])} records in ${seconds.toFixed(1)} s`);
  expect(resumed).toMatchObject({ complete: true, settled: { stored: 5000, duplicate: 0, dead: 0, redriving: 0 } });
  expect(await json('dlq', 'fix', ...edit, ...reason('ada'))).toMatchObject({ sent: 0 });
  const mending = ['fix', '--code', 'FIELD_MISSING', '--set', 'version="1.0"', '--rate', '100000', ...reason('ada')];
  const whole = performance.now();
  expect(await json('dlq', ...mending)).toMatchObject({ sent: 4800, settled: { stored: 4800 } });
  console.info(`redrive of 4,800: ${((performance.now() - whole) / 1000).toFixed(1)} s`);
  expect(await json('dlq', 'discard', '--code', 'JSON_INVALID', ...reason('ada'))).toMatchObject({ discarded: 200 });
  await untilCaughtUp(site);
  expect(await json('dlq', 'status')).toMatchObject({
    depth: 0,
    byState: { open: 0, redriving: 0, redriven: 9800, discarded: 200 },
  });
  const account = await expectAll(site, [...good, ...wrong, ...lacking]);
  const acts = account.events.size - good.length - wrong.length - lacking.length;
  // A release: started, finished; then started, resumed, finished; started, finished; started, finished.
  expect(acts).toBe(9);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
}, 900_000);

/** Kills the command with -9 as soon as the ledger shows so many letters of its run; returns the id of that. */
const killHalfWay = async (site: Site, args: readonly string[], letters: number): Promise<string> => {
  const { json } = dlqOf(site);
  const child = spawnCommand(site, args);
  let runId = '';
  await until(
    async () => {
      const [run] = (await json('dlq', 'status'))['runs'] as Json[];
      const id = run?.['runId'];
      runId = typeof id === 'string' ? id : '';
      return Number(run?.['redriving'] ?? 0) + Number(run?.['stored'] ?? 0) >= letters;
    },
    { timeoutMs: 240_000, everyMs: 500, what: 'half of the redrive' },
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  return runId;
};

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const spawnCommand = (site: Site, args: readonly string[]) =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env: site.env, stdio: 'ignore' });

describe('on the same letters', () => {
  let site: Site;
  let running: Running;
  beforeAll(async () => {
    site = await open({ partitions: 2 });
    running = await site.run();
    await running.ready();
  }, 120_000);
  afterAll(() => running.kill());

  const poisoned = async (count: number): Promise<Json[]> => {
    const events = Array.from({ length: count }, () => testEvent({ event_outcome: 'SUCCESS' }));
    await send(site, spread(events, 2));
    await untilCaughtUp(site);
    return events;
  };
  const order: RedriveOrder = {
    ...{ act: 'fix', selection: { kind: 'filter', filter: {} }, edit: { set: { event_outcome: 'success' } } },
    ...{ evenRefused: false, evenStored: false, limit: null },
  };
  const run = (by: string) => ({
    by,
    why: 'test',
    waitMs: 60_000,
    perSecond: 100_000,
    signal: new AbortController().signal,
  });

  test('two operators at once: each letter has one outcome', async () => {
    const events = await poisoned(400);
    const { config } = dlqOf(site);
    const desks = await Promise.all(['ada', 'grace', 'joan'].map(() => openDeskPorts(config())));
    const results = await Promise.allSettled([
      deadLetterDesk(desks[0]!.ports, null, desks[0]!.close).redrive(order, run('ada')),
      deadLetterDesk(desks[1]!.ports, null, desks[1]!.close).redrive(order, run('grace')),
      deadLetterDesk(desks[2]!.ports, null, desks[2]!.close).discard(
        { selection: { kind: 'filter', filter: { partition: 0 } }, limit: null },
        { by: 'joan', why: 'test' },
        new AbortController().signal,
      ),
    ]);
    for (const { close } of desks) await close();
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    const { byState } = (await dlqOf(site).json('dlq', 'status')) as { byState: Record<string, number> };
    expect(byState).toMatchObject({ open: 0, redriving: 0 });
    const account = await accountSite(stack(), site);
    const stored = events.filter((event) => account.events.has(idOf(event))).length;
    expect([stored, byState['discarded']]).toEqual([byState['redriven'], 400 - stored]);
  }, 240_000);

  test('crashed at every step, before or after its effect, and resumed: all are stored, none twice, none dead again', async () => {
    const random = seededRandom(Number(process.env['IMMUTRAIL_SEED'] ?? 7));
    const { config, json } = dlqOf(site);
    for (let step = 0; step < 12; step += 1) {
      const events = await poisoned(30);
      const crash = { at: step, isAfter: random.chance(0.5) };
      const first = await openDeskPorts(config());
      const failing = deadLetterDesk(crashing(first.ports, crash), null, first.close);
      const outcome = await failing
        .redrive({ ...order, limit: null }, { ...run('ada'), perSecond: 10 * (step + 1) })
        .then(
          () => 'done',
          (error: unknown) => String(error),
        );
      await first.close();
      const [begun] = ((await json('dlq', 'status'))['runs'] as Json[]).filter(
        ({ redriving }) => Number(redriving) > 0,
      );
      const second = await openDeskPorts(config());
      const desk = deadLetterDesk(second.ports, null, second.close);
      if (begun !== undefined) await desk.resume(String(begun['runId']), run('grace'), {});
      await desk.redrive(order, run('grace'));
      await second.close();
      expect([step, outcome, await json('dlq', 'status')]).toMatchObject([step, outcome, { depth: 0 }]);
      await expectAll(site, events);
    }
    const { runs } = (await json('dlq', 'status')) as { runs: Json[] };
    expect(runs.filter(({ dead }) => Number(dead) > 0)).toEqual([]);
  }, 600_000);
});

/** Ports that fail for good at the n-th effect on the outside, which then has happened or has not. */
const crashing = (ports: DeskPorts, { at, isAfter }: { at: number; isAfter: boolean }): DeskPorts => {
  let effects = 0;
  const step = async <T>(effect: () => Promise<T>): Promise<T> => {
    const isHere = effects++ === at;
    if (effects > at + 1) throw new Error('crashed before');
    if (isHere && !isAfter) throw new Error('crash');
    const done = await effect();
    if (isHere) throw new Error('crash');
    return done;
  };
  const { ledger } = ports;
  const client = { ...ledger.client, set: (request: Buffer) => step(() => ledger.client.set(request)) };
  return {
    ...ports,
    ledger: { ...ledger, client },
    append: (partition, records) => step(() => ports.append(partition, records)),
  };
};
