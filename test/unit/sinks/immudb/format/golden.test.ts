/**
 * The ledger's format byte for byte. A failure here means that ledgers in the field could no longer be read or
 * continued: change the code back, never the files.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decodeDead, encodeDead } from '../../../../../src/sinks/immudb/format/dead-value.ts';
import { recordSha256 } from '../../../../../src/schemas/record-hash.ts';
import type { EventSource } from '../../../../../src/sinks/immudb/format/event-source.ts';
import { decodeEventValue } from '../../../../../src/sinks/immudb/format/event-value.ts';
import { decodeFormat, encodeFormat } from '../../../../../src/sinks/immudb/format/format-value.ts';
import { decodeLog, encodeLog } from '../../../../../src/sinks/immudb/format/log-value.ts';
import { decodeMark, encodeMark } from '../../../../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../../../../src/sinks/immudb/format/parse-key.ts';
import { decodePosting, decodeTimePosting } from '../../../../../src/sinks/immudb/format/posting-value.ts';
import { planPostings } from '../../../../../src/sinks/immudb/format/postings.ts';
import { eventValueOf } from '../../../../support/event-value.ts';
import * as golden from './golden-inputs.ts';

const folder = join(import.meta.dirname, '../../../../fixtures/format');
const file = (name: string): Buffer => readFileSync(join(folder, name));

const eventValue = (source: EventSource): Buffer => eventValueOf(source, golden.goldenJson);

const digestInput = { ...golden.goldenSource, value: golden.goldenJson };

/** File, what the code writes for it, what the file must mean, and how it is read. */
type Case = readonly [name: string, written: Buffer, meaning: unknown, read: (key: string, value: Buffer) => unknown];

const cases: readonly Case[] = [
  ['meta-format.json', encodeFormat(golden.goldenFormat), golden.goldenFormat, decodeFormat],
  ['meta-log.json', encodeLog(golden.goldenLog), golden.goldenLog, decodeLog],
  ['mark.json', encodeMark(golden.goldenMark), golden.goldenMark, decodeMark],
  ['mark-first.json', encodeMark(golden.goldenFirstMark), golden.goldenFirstMark, decodeMark],
  ['mark-accepted-gap.json', encodeMark(golden.goldenAcceptedGap), golden.goldenAcceptedGap, decodeMark],
  ...Object.entries(golden.goldenDead).map(([name, dead]): Case => [
    `${name}.json`,
    encodeDead(dead),
    dead,
    decodeDead,
  ]),
  ...Object.entries({
    event: golden.goldenSource,
    'event-bare': golden.goldenBareSource,
    'event-framed': golden.goldenFramedSource,
  }).map(([name, source]): Case => [
    `${name}.json`,
    eventValue(source),
    { source, json: golden.goldenJson },
    decodeEventValue,
  ]),
];

const postings = (): string =>
  planPostings(golden.goldenRows)
    .map(({ key, value }) => `${key} ${value.toString()}\n`)
    .sort()
    .join('');

describe('golden files', () => {
  test.each(cases)('%s', (name, written, meaning, read) => {
    expect(written.toString()).toBe(file(name).toString());
    expect(written.equals(file(name))).toBe(true);
    expect(read(name, file(name))).toEqual(meaning);
  });

  test('keys.txt', () => {
    expect(golden.goldenKeys.map((key) => `${key}\n`).join('')).toBe(file('keys.txt').toString());
    for (const key of golden.goldenKeys.slice(0, -2)) expect(parseKey(key).kind).not.toBe('unknown');
  });

  test('postings.txt: its rows are read; how they are cut is this writer’s policy', () => {
    expect(postings()).toBe(file('postings.txt').toString());
    for (const line of file('postings.txt').toString().trimEnd().split('\n')) {
      const key = line.slice(0, line.indexOf(' '));
      const value = Buffer.from(line.slice(key.length + 1));
      const rows = key.startsWith('time/') ? decodeTimePosting(key, value) : decodePosting(key, value);
      for (const row of rows)
        expect(golden.goldenRows.map(({ facts }) => facts)).toContainEqual(expect.objectContaining(row));
    }
  });

  test('record-sha256.txt', () => {
    expect(`${recordSha256(digestInput)}\n`).toBe(file('record-sha256.txt').toString());
  });

  test('the files are the ones of the first release', () => {
    const digest = createHash('sha256');
    for (const name of readdirSync(folder).sort()) digest.update(`${name}\0`).update(file(name)).update('\0');
    expect(digest.digest('hex')).toBe('c9d9cf4d899a776d10a1a081f805b3410d0a36c5b923dedf08dfd89634bdb2de');
  });
});
