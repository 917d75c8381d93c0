import { describe, expect, test } from '@jest/globals';
import { PipelineError } from '../../../src/errors.ts';
import { ledgerWatch } from '../../../src/wire/ledger-watch.ts';

const rig = (look: () => Promise<void>) => {
  const told: string[] = [];
  const watch = ledgerWatch({
    look,
    readiness: { meet: (what) => told.push(`meets ${what}`), miss: (what, why) => told.push(`misses ${what}: ${why}`) },
    failed: (error) => told.push(`failed: ${error.message}`),
    everyMs: 5,
    lateMs: 20,
  });
  return { told, watch };
};
const turns = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const untilTold = async (told: readonly string[], wanted: string) => {
  for (let tries = 0; tries < 400 && !told.includes(wanted); tries += 1) await turns(5);
  expect(told).toContain(wanted);
};

describe('a look at the ledger', () => {
  test('that succeeds: ready', async () => {
    const { told, watch } = rig(() => Promise.resolve());
    await untilTold(told, 'meets ledger-ready');
    await watch.stop();
    expect(new Set(told)).toEqual(new Set(['meets ledger-ready']));
  });

  test('that fails for the outside’s fault: not ready, and why; ready again after it', async () => {
    let isDown = true;
    const down = new PipelineError('LEDGER_UNAVAILABLE', 'gone');
    const { told, watch } = rig(() => (isDown ? Promise.reject(down) : Promise.resolve()));
    await untilTold(told, 'misses ledger-ready: LEDGER_UNAVAILABLE');
    isDown = false;
    await untilTold(told, 'meets ledger-ready');
    await watch.stop();
  });

  test('that has no answer yet: not ready before it fails; and ready when the answer comes', async () => {
    const answer = Promise.withResolvers<undefined>();
    const { told, watch } = rig(async () => {
      await answer.promise;
    });
    await untilTold(told, 'misses ledger-ready: no answer for 20 ms');
    expect(told).not.toContain('meets ledger-ready');
    answer.resolve(undefined);
    await untilTold(told, 'meets ledger-ready');
    await watch.stop();
  });

  test('that shows another past halts', async () => {
    const { told, watch } = rig(() => Promise.reject(new PipelineError('LEDGER_ROLLED_BACK', 'it ends at 3')));
    await untilTold(told, 'failed: it ends at 3');
    await watch.stop();
  });
});
