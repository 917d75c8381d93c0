import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { errorTable } from '../../../src/errors.ts';
import { deviationKinds } from '../../../src/queries/audit/deviations.ts';

const page = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8');

test('docs/audit.md names every kind of deviation, and no other', () => {
  const [, table = ''] = page.split('## What is checked');
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| of each') && !line.startsWith('| ---'));
  const named = rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/`([a-z-]+)`/g)].map(([, kind]) => kind),
  );
  expect([...new Set(named)].sort()).toEqual([...deviationKinds].sort());
});

test('its exit codes are those of the table', () => {
  for (const code of ['AUDIT_DEVIATIONS', 'AUDIT_INCOMPLETE'] as const)
    expect(page).toContain(`\n| ${errorTable[code].exitCode} `);
});
