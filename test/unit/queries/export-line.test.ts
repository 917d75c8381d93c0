import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvHeader, csvLine, ndjsonLine } from '../../../src/queries/export-line.ts';

const lineOf = (event: Record<string, unknown>, text = JSON.stringify(event)) => {
  const source = { log: 1, partition: 2, offset: '3', sha256: 'ab' };
  return { tx: 7n, value: Buffer.from(`{"v":1,"source":${JSON.stringify(source)},"event":${text}}`) };
};
/** Cells of one line, as a reader of RFC 4180 takes them apart. */
const cellsOf = (line: string): string[] =>
  [...line.slice(0, -1).matchAll(/(?:^|,)"((?:[^"]|"")*)"/g)].map(([, cell = '']) => cell.replaceAll('""', '"'));
const cell = (text: string): string => cellsOf(csvLine(lineOf({ event_id: text })))[6] ?? 'none';

test('a line of NDJSON is the value with its transaction, whatever its producer wrote between its tokens', () => {
  const event = { event_id: 'a', text: 'ä\n"x"' };
  const line = ndjsonLine(lineOf(event, JSON.stringify(event, null, 2).replaceAll('\n', '\r\n')));
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toMatchObject({ tx: '7', v: 1, source: { partition: 2 }, event });
});

describe('a line of CSV', () => {
  test('has a quoted cell for each column, on one line, for any event', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (fields, text) => {
        const line = csvLine(lineOf({ ...fields, event_id: text.toWellFormed(), event_data: fields }));
        expect(cellsOf(line)).toHaveLength(cellsOf(csvHeader).length);
        expect(line.slice(0, -1)).not.toMatch(/[\r\n]/);
        for (const one of cellsOf(line)) expect(one).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '\r=1', '|x', '%x', '＝1'])(
    '%j is text for a spreadsheet, not a formula',
    (text) => {
      expect(cell(text).startsWith("'")).toBe(true);
    },
  );

  test('leaves other text as it is', () => {
    for (const text of ['plain', 'a=b', 'with "quotes", commas', 'ä', '']) expect(cell(text)).toBe(text);
  });
});
