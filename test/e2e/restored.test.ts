import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import { dataCopies, type DataCopies } from '../support/data-copies.ts';
import { load, nothing } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { committedBy } from '../support/site-kafka.ts';

// Somebody restores immudb from an older copy of its disk. An older ledger accepts every write that the pipeline would
// send next: only what the pipeline remembers outside of immudb can tell.

let own: Stack;
let stack: Addresses;
let site: Site;
let copies: DataCopies;
const produced = nothing();
beforeAll(async () => {
  own = await startNativeStack({ kafka: false });
  stack = { kafka: (await sharedStack()).kafka, immudb: own.immudb };
  site = await openSite(stack, { partitions: 4 });
  copies = dataCopies(own.immudb);
}, 180_000);
afterAll(async () => {
  await site.close();
  await own.stop();
}, 60_000);

const produce = () => load(stack, { topic: site.topic, count: 400, duplicateEvery: 50, poisonEvery: 90 }, produced);

const stopped = async (running: Running) => {
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
};

/** Halted by what it found out, and neither the ledger nor the group moved since `before`. */
const expectHalted = async (running: Running, before: State, code: string, exitCode: number) => {
  const exit = await running.exited;
  expect([running.output().slice(-4000), exit.code]).toEqual([expect.stringContaining(code), exitCode]);
  expect(await stateNow()).toEqual(before);
};

type State = { readonly transactions: bigint; readonly committed: Readonly<Record<number, string>> };
const stateNow = async (): Promise<State> => ({
  transactions: (await accountSite(stack, site)).transactions,
  committed: await committedBy(stack, site),
});

test('a ledger restored from an older copy halts the pipeline, running or stopped: nothing stored, nothing committed', async () => {
  await produce();
  const first = await site.run();
  await first.ready();
  await untilCaughtUp(site);
  await stopped(first);
  await copies.take();
  const { transactions: copied } = await stateNow();

  // Running, under load: records are on their way into the ledger when it comes back as it was.
  const running = await site.run();
  await running.ready();
  await produce();
  await untilCaughtUp(site);
  await own.immudb.server.kill();
  const committed = await committedBy(stack, site);
  await produce();
  await sleep(500);
  await copies.restore();
  const restored = { transactions: copied, committed };
  await expectHalted(running, restored, 'LEDGER_ROLLED_BACK', 15);

  // Stopped: the next start finds it.
  await expectHalted(await site.run(), restored, 'LEDGER_ROLLED_BACK', 15);

  // A person decides to go on from the copy, with a new trusted state: Kafka still has all that it lacks.
  const env = {
    IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: `${site.env['IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE']}.anew`,
    IMMUTRAIL_LEDGER_GENESIS: site.genesis,
  };
  const anew = await site.run({ ...env, IMMUTRAIL_BATCH_MAX_EVENTS: '10' });
  await anew.ready();
  await untilCaughtUp(site, 60_000, env);
  await stopped(anew);
  await expectAccounted(stack, site, produced);

  // By now it has more transactions than were seen before, and another past.
  await expectHalted(await site.run(), await stateNow(), 'LEDGER_PROOF_FAILED', 44);
}, 180_000);
