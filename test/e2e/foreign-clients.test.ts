import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testEvent } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { typedAt } from '../support/typed.ts';

// Records of other people's clients, in every codec. Where a client is not installed its tests are skipped, aloud.

const hasKcat = (() => {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

let stack: Addresses;
let site: Site;
let running: Running;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 2 });
  running = await site.run();
  await running.ready();
}, 180_000);
afterAll(async () => {
  running.kill('SIGTERM');
  await running.exited;
  await site.close();
});

const kcat = async (args: readonly string[], lines: string): Promise<void> => {
  const child = spawn('kcat', ['-P', '-b', stack.kafka.brokers.join(','), '-t', site.topic, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end(lines);
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${said}`);
};

const sent: string[] = [];
const events = (count: number) => {
  const made = Array.from({ length: count }, () => testEvent());
  sent.push(...made.map((event) => String(event['event_id'])));
  return made;
};

(hasKcat ? describe : describe.skip)('kcat (librdkafka)', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'its records in %s are stored, with key and headers',
    async (codec) => {
      const lines = events(50).map((event) => `${String(event['correlation_id'])}\t${JSON.stringify(event)}`);
      await kcat(
        ['-z', codec, '-K', '\t', '-H', 'content-type=application/json', '-H', `codec=${codec}`],
        lines.join('\n'),
      );
      await untilCaughtUp(site);
      const { out } = await typedAt(site)(['get', '--json', sent.at(-1) ?? '']);
      const { source } = JSON.parse(out) as { source: { headers: [string, string][]; key: string } };
      expect(source.key).toMatch(/^rr-/);
      expect(JSON.stringify(source.headers)).toContain('codec');
    },
    120_000,
  );

  test('each is stored once, and nothing is dead', async () => {
    const account = await accountSite(stack, site);
    expect([...account.events.keys()].sort()).toEqual(sent.toSorted());
    expect(account.deadByCode.size).toBe(0);
  }, 60_000);
});
