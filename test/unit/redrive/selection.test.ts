import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerTest, recordTest, type LetterFilter } from '../../../src/redrive/filter.ts';
import type { FoundLetter } from '../../../src/redrive/found-letter.ts';
import { letterId, parseLetterId } from '../../../src/redrive/letter-id.ts';
import { savedSelection, selectionWriter } from '../../../src/redrive/saved-selection.ts';
import { deadKey } from '../../../src/sinks/immudb/format/keys.ts';

const at = { log: 1, partition: 3, offset: 42n };
const letter: FoundLetter = {
  at,
  tx: 9n,
  topic: 'audit.events',
  dead: {
    ...{ state: 'open', code: 'JSON_INVALID', message: 'no JSON at 7', sha256: 'ab'.repeat(32), attempt: 1 },
    ...{ dlq: { log: 2, partition: 0, offset: 5n }, eventId: 'E-1', correlationId: 'rr-1', eventType: 'a.b' },
  },
  original: {
    ok: true,
    record: {
      ...{ partition: 3, offset: 42n, timestamp: 1000n, timestampType: 'create', key: null, headers: [] },
      value: Buffer.from('{"Name":"Ünder"'),
    },
  },
};

const meets = (filter: LetterFilter) => ledgerTest(filter)(letter) && recordTest(filter)(letter);

describe('a filter', () => {
  test.each<[LetterFilter, boolean]>([
    [{}, true],
    [{ state: 'discarded' }, false],
    [{ state: 'all' }, true],
    [{ codes: ['FIELD_TYPE', 'JSON_INVALID'] }, true],
    [{ codes: ['FIELD_TYPE'] }, false],
    [{ partition: 3, fromOffset: '42', toOffset: '42' }, true],
    [{ partition: 3, fromOffset: '43' }, false],
    [{ partition: 3, toOffset: '41' }, false],
    [{ partition: 2 }, false],
    [{ eventType: 'a.b', correlationId: 'rr-1' }, true],
    [{ eventType: 'a' }, false],
    [{ correlationId: 'rr-2' }, false],
    [{ since: 1000 }, true],
    [{ since: 1001 }, false],
    [{ until: 1000 }, false],
    [{ until: 1001 }, true],
    [{ text: 'üNDER' }, true],
    [{ text: 'JSON AT 7' }, true],
    [{ text: 'e-1' }, true],
    [{ text: 'elsewhere' }, false],
  ])('%j: %s', (filter, isMeant) => {
    expect(meets(filter)).toBe(isMeant);
  });

  test('that needs the record does not mean a letter without one', () => {
    const unreadable: FoundLetter = { ...letter, original: { ok: false, why: 'gone' } };
    expect(recordTest({ since: 0 })(unreadable)).toBe(false);
    expect(recordTest({})(unreadable)).toBe(true);
    expect(recordTest({ text: 'no json' })(unreadable)).toBe(true);
  });
});

test('an id is log/partition/offset or the key, and nothing else', () => {
  expect(parseLetterId(letterId(at))).toEqual(at);
  expect(parseLetterId(deadKey(at))).toEqual(at);
  for (const wrong of ['', '1/3', '1/3/x', '1/3/-1', '1/3/42/7', 'event/1', '1/3/9999999999999999999']) {
    expect(() => parseLetterId(wrong)).toThrow('log/partition/offset');
  }
});

describe('a saved selection', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'immutrail-selection-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (path: string, ledgerId = 'L') => {
    const letters = [];
    for await (const one of savedSelection(path, ledgerId).letters) letters.push(one);
    return letters;
  };

  test('is read as it was written', async () => {
    const path = join(folder, 'some');
    const writer = selectionWriter(path, 'L');
    const letters = Array.from({ length: 3000 }, (_, i) => ({ at: { ...at, offset: BigInt(i) }, tx: BigInt(i * 7) }));
    for (const one of letters) writer.add(one);
    await writer.close();
    expect(await read(path)).toEqual(letters);
    await expect(read(path, 'M')).rejects.toThrow('another ledger');
    await expect(selectionWriter(path, 'L').close()).rejects.toThrow('EEXIST');
  });

  test.each([
    ['an empty file', '', 'empty'],
    ['another file', 'hello\n', 'no JSON'],
    ['other JSON', '{"v":1}\n', 'no saved selection'],
    ['a broken line', '{"immutrail":"selection","v":1,"ledger_id":"L"}\n{"id":7}\n', 'line 2'],
  ])('%s is refused with its reason', async (name, text, reason) => {
    const path = join(folder, name.replaceAll(' ', '-'));
    await writeFile(path, text);
    await expect(read(path)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(reason) as unknown,
    });
  });

  test('a file that is not there is a mistake of whoever names it', async () => {
    await expect(read(join(folder, 'none'))).rejects.toMatchObject({ code: 'USAGE' });
  });
});
