import { expect, test } from '@jest/globals';
import pc from 'picocolors';
import { auditExitCode, auditProgress, auditText } from '../../../src/cli/audit-text.ts';
import type { Audited } from '../../../src/cli/audit.ts';

const all = (of: number) => ({ held: of, of });
const honest: Audited = {
  ...{ database: 'audit', holds: true, stalledIndex: null, tookMs: 2000, eventsPerSecond: 20_000 },
  ...{ transactions: all(51), events: all(40_000), offsets: all(40_020), postings: all(3000), checkpoints: all(12) },
  originals: { ...all(40_000), gone: 20 },
  deadLetters: { ...all(3), gone: 0 },
  reworded: { ...all(0), gone: 0 },
  end: { tx: 51n, alh: 'ab'.repeat(32) },
  anchors: ['the pinned genesis', 'the trusted state (transaction 50)'],
  deviations: { total: 0, byKind: {}, listed: [] },
};
const deviation = { kind: 'chain', tx: 7n, key: null, what: 'it is another one' };
const text = (audited: Audited) => auditText(audited, pc.createColors(false));

test('what holds is said in one line of sums, with what it was held against', () => {
  expect(text(honest)).toBe(
    [
      'transactions 51/51, events 40000/40000, offsets 40020/40020, checkpoints 12/12, postings 3000/3000',
      'against Kafka: records 40000/40000 (20 that Kafka has no more), dead letters 3/3',
      `against the pinned genesis and the trusted state (transaction 50), up to transaction 51, hash ${'ab'.repeat(32)}`,
      '2.0 s, 20000 events/s',
      '✓ everything holds',
    ].join('\n'),
  );
  expect(auditExitCode(honest)).toBe(0);
});

test('deviations are listed up to fifty, and counted', () => {
  const listed = Array.from({ length: 60 }, (_, at) => ({ ...deviation, key: `event/${at}` }));
  const wrong = { ...honest, holds: false, deviations: { total: 70, byKind: { chain: 70 }, listed } };
  const lines = text(wrong).split('\n');
  expect(lines[0]).toBe('✗ chain: transaction 7, event/0: it is another one');
  expect(lines[50]).toBe('✗ … and 20 more (--json lists up to 60)');
  expect(lines.at(-1)).toBe('✗ 70 deviations');
  expect(auditExitCode(wrong)).toBe(30);
});

test('an index that does not answer is no end in 0', () => {
  const stalled = { ...honest, holds: false, stalledIndex: 'TxScan: deadline' };
  expect(text(stalled)).toContain(
    '! the index of immudb does not answer; everything was read without it: TxScan: deadline',
  );
  expect(text(stalled)).toContain('nothing deviates');
  expect(auditExitCode(stalled)).toBe(31);
});

test('the bar shows how far it is and how fast, to who watches', () => {
  let shown = '';
  let now = 0;
  const watched = { err: (line: string) => void (shown += line), isWatched: true };
  const { onProgress, end } = auditProgress(watched, () => now);
  now = 1000;
  onProgress({ tx: 5n, to: 10n, events: 20_000, deviations: 0 });
  expect(shown).toContain('████████████░░░░░░░░░░░░ transaction 5/10, 20000 events, 20000 events/s');
  now = 1050;
  onProgress({ tx: 6n, to: 10n, events: 21_000, deviations: 0 });
  expect(shown).not.toContain('21000');
  onProgress({ tx: 10n, to: 10n, events: 30_000, deviations: 2 });
  expect(shown).toContain('transaction 10/10, 30000 events, 28571 events/s, 2 deviations');
  end();
  expect(shown.endsWith('\u001b[2K')).toBe(true);
  shown = '';
  auditProgress({ ...watched, isWatched: false }).onProgress({ tx: 1n, to: 1n, events: 1, deviations: 0 });
  expect(shown).toBe('');
});
