import { join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { boundedHeap, boundedMalloc } from '../../scripts/memory-bounds.ts';
import { build, builtProgram, measured, testWithProc } from '../support/built-program.ts';
import { testEvent } from '../support/load.ts';
import { ownSites, type PlacedValue } from '../support/own-sites.ts';
import type { Json } from '../support/dlq-desk.ts';
import { untilCaughtUp } from '../support/site-account.ts';

// What looking at very many dead letters, and sending them again, takes of memory and of time. IMMUTRAIL_LONG=1 makes a
// million of them; the pipeline itself makes them, of records that lie on the topic.

const letters = process.env['IMMUTRAIL_LONG'] === '1' ? 1_000_000 : 100_000;
const partitions = 4;
const capped = 20_000;
const mostMiB = 256;
const minute = 60_000;

const { open, send } = ownSites();
beforeAll(build, 300_000);

function* wrong(): Generator<PlacedValue, void> {
  for (let made = 0; made < letters; made += 1) {
    const event = testEvent({ event_outcome: 'SUCCESS', event_type: 'load.note.taken', event_data: { note: made } });
    yield { partition: made % partitions, value: JSON.stringify(event) };
  }
}

testWithProc(
  `with ${letters} open dead letters every command takes at most ${mostMiB} MiB`,
  async () => {
    const site = await open({
      ...{ partitions, program: builtProgram },
      // That they are at fault is what is wanted here, and nobody looks at the gauge.
      env: {
        IMMUTRAIL_BREAKER_MAX_SHARE_PERCENT: '100',
        IMMUTRAIL_BREAKER_MAX_RUN: String(2 * letters),
        IMMUTRAIL_REDRIVE_DEPTH_EVERY_MS: '3600000',
      },
    });
    await send(site, wrong());
    const running = await site.run(boundedMalloc, 'trusted', boundedHeap);
    await running.ready();
    const buried = performance.now();
    await untilCaughtUp(site, 60 * minute);
    tell('dead letters made', letters, (performance.now() - buried) / 1000);

    const measure = async (what: string, count: number, ...args: readonly string[]): Promise<Json> => {
      const { out, seconds, peakMiB } = await measured(site, ['--json', 'dlq', ...args]);
      tell(what, count, seconds, peakMiB);
      expect({ what, isBounded: peakMiB > 40 && peakMiB <= mostMiB }).toEqual({ what, isBounded: true });
      return JSON.parse(out) as Json;
    };
    const listed = await measure('list', 10_000, 'list', '--limit', '10000');
    expect((listed['letters'] as Json[]).length).toBe(10_000);
    expect(await measure('status', letters, 'status')).toMatchObject({ depth: letters });
    const file = join(site.folder, 'selection.jsonl');
    const edit = ['--all', '--set', 'event_outcome=success'];
    expect(await measure('dry run', letters, 'fix', ...edit, '--dry-run', '--save', file)).toMatchObject({
      eligible: letters,
    });
    const act = ['--limit', String(capped), '--rate', '1000000', '--wait', '600', '--by', 'ada', '--why', 'test'];
    const sent = { sent: capped, complete: true, settled: { stored: capped, dead: 0, redriving: 0 } };
    expect(await measure('redrive by filter', capped, 'fix', ...edit, ...act)).toMatchObject(sent);
    const saved = ['--selection', file, '--set', 'event_outcome=success'];
    expect(await measure('redrive of a selection', capped, 'fix', ...saved, ...act)).toMatchObject(sent);
    const one = ['--all', '--limit', '1', '--by', 'ada', '--why', 'test'];
    expect(await measure('discard of one', 1, 'discard', ...one)).toMatchObject({ discarded: 1 });
    expect(await measure('status', letters, 'status')).toMatchObject({ depth: letters - 2 * capped - 1 });
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
  },
  120 * minute,
);

const tell = (what: string, count: number, seconds: number, peakMiB?: number): void => {
  const peak = peakMiB === undefined ? '' : `, peak ${peakMiB} MiB`;
  console.log(`${what}: ${count} in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)}/s${peak}`);
};
