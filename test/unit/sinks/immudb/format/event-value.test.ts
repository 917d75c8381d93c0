import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventSource } from '../../../../../src/sinks/immudb/format/event-source.ts';
import { decodeEventValue } from '../../../../../src/sinks/immudb/format/event-value.ts';
import { boundHeaders, maxHeaderBytes, maxHeaders } from '../../../../../src/sinks/immudb/format/source-headers.ts';
import { eventValueOf } from '../../../../support/event-value.ts';
import { anyBytes, anyCoordinates, anySha256, anyText } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

const anyHeader = fc.tuple(anyText, fc.option(anyBytes, { nil: null }));

const anySource: fc.Arbitrary<EventSource> = fc
  .tuple(
    anyCoordinates,
    fc.record({
      timestamp: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
      timestampType: fc.constantFrom('create' as const, 'append' as const),
      key: fc.option(anyBytes, { nil: null }),
      headers: fc.array(anyHeader, { maxLength: 6 }),
      headersOmitted: fc.integer({ min: 0, max: 3 }),
      sha256: anySha256,
      recordSha256: anySha256,
      encoding: fc.constantFrom('json', 'avro'),
    }),
    fc.record(
      { principal: anyText, schemaId: fc.integer({ min: 0, max: 2 ** 31 - 1 }), original: anyBytes },
      { requiredKeys: [] },
    ),
  )
  .map(([at, always, sometimes]) => ({ ...at, ...always, ...sometimes }));

/** Objects as producers write them, with white space around them. */
const anyJson = fc
  .tuple(fc.dictionary(anyText, fc.jsonValue()), fc.constantFrom('', ' ', '\n\t'))
  .map(([event, space]) => Buffer.from(`${space}${JSON.stringify(event, null, space)}${space}`));

const source: EventSource = {
  log: 1,
  partition: 3,
  offset: 42n,
  timestamp: 1_767_000_000_000n,
  timestampType: 'create',
  key: Buffer.from('k'),
  headers: [],
  headersOmitted: 0,
  sha256: 'a'.repeat(64),
  recordSha256: 'b'.repeat(64),
  encoding: 'json',
};

const anEvent = Buffer.from('{}');

describe('an event value', () => {
  test('gives back its source and the very bytes of the event, and is JSON for every other reader', () => {
    fc.assert(
      fc.property(anySource, anyJson, (from, json) => {
        const value = eventValueOf(from, json);
        const decoded = decodeEventValue('k', value);
        expect(decoded.source).toEqual(from);
        expect(decoded.json.equals(json)).toBe(true);
        expect(decoded.json.buffer).toBe(value.buffer);
        expect((JSON.parse(value.toString()) as { event: unknown }).event).toEqual(JSON.parse(json.toString()));
      }),
      { numRuns: 300 },
    );
  });

  test.each([',"event":', '"},"event":{"a":1},"x":"', '\\","event":', '","event":{}}'])(
    'finds the boundary past %j in key, headers and event',
    (trap) => {
      const tricky = {
        ...source,
        key: Buffer.from(trap),
        principal: trap,
        headers: [[trap, Buffer.from(trap)]] as const,
      };
      const json = Buffer.from(JSON.stringify({ [trap]: trap, event: { event: 1 } }));
      const decoded = decodeEventValue('k', eventValueOf(tricky, json));
      expect(decoded.source).toEqual(tricky);
      expect(decoded.json.equals(json)).toBe(true);
    },
  );

  test('holds a key as text only if its bytes are well-formed UTF-8', () => {
    expect(eventValueOf({ ...source, key: null }, anEvent).toString()).toContain('"key":null,');
    expect(eventValueOf({ ...source, key: Buffer.alloc(0) }, anEvent).toString()).toContain('"key":"",');
    expect(eventValueOf({ ...source, key: Buffer.from('\ufeffü') }, anEvent).toString()).toContain('"key":"\ufeffü",');
    expect(eventValueOf({ ...source, key: Buffer.from([0xff]) }, anEvent).toString()).toContain('"key_b64":"/w==",');
    expect(eventValueOf({ ...source, key: Buffer.from('eda080', 'hex') }, anEvent).toString()).toContain(
      '"key_b64":"7aCA",',
    );
  });

  test.each<[string, (text: string) => string]>([
    ['no source', (text) => text.replace('"source"', '"sauce"')],
    ['exact form', (text) => text.replace('"log":1', '"log": 1')],
    ['exact form', (text) => text.replace('"encoding":"json"', '"encoding":"json","more":1')],
    ['exact form', (text) => text.replace('"headers":[]', '"headers":[],"headers_omitted":0')],
    ['exact form', (text) => text.replace('"key":"k"', '"key":"k","key":"k"')],
    ['exact form', (text) => text.replace('"key":"k"', '"key_b64":"aw=="')],
    ['exact form', (text) => text.replace('"key":"k"', '"key_b64":"/w"')],
    ['headers', (text) => text.replace('"headers":[]', '"headers":[["a"]]')],
    ['offset', (text) => text.replace('"offset":"42"', '"offset":42')],
    ['sealed is reserved', (text) => text.replace('"event"', '"sealed"')],
    ['not JSON', (text) => text.replace(/}$/, ',"event":{"b":2}}')],
    ['not JSON', (text) => text.replace(/{"a":1}}$/, '{"a":1}')],
    ['not JSON', (text) => text.replace(/{"a":1}}$/, '}')],
    ['not an object', (text) => text.replace('{"a":1}', '[1]')],
    ['not closed', (text) => `${text} `],
  ])('is refused for %s', (reason, change) => {
    const text = eventValueOf(source, Buffer.from('{"a":1}')).toString();
    expect(change(text)).not.toBe(text);
    const message = refusalOf(() => decodeEventValue('event/x', Buffer.from(change(text))));
    expect(message).toContain('event/x');
    expect(message).toContain(reason);
  });

  test('is refused for bytes that are not UTF-8', () => {
    const value = eventValueOf(source, Buffer.from('{"a":"x"}'));
    value[value.lastIndexOf('x')] = 0xff;
    expect(refusalOf(() => decodeEventValue('k', value))).toContain('UTF-8');
  });
});

describe('headers in a value', () => {
  const header = (name: string, bytes: number) => [name, Buffer.alloc(bytes, 'x')] as const;

  test('are kept up to the bounds, in their order', () => {
    const many = Array.from({ length: maxHeaders + 2 }, (_, at) => header(`h${at}`, 1));
    expect(boundHeaders(many)).toEqual({ kept: many.slice(0, maxHeaders), omitted: 2 });
    expect(boundHeaders([header('a', maxHeaderBytes - 1)]).omitted).toBe(0);
    expect(boundHeaders([header('a', maxHeaderBytes)]).omitted).toBe(1);
    const small = header('c', 9);
    expect(boundHeaders([header('a', maxHeaderBytes - 11), header('b', 10), small])).toEqual({
      kept: [header('a', maxHeaderBytes - 11), small],
      omitted: 1,
    });
  });

  test('that were left out are counted, and stay so when decoded', () => {
    const headers = Array.from({ length: 40 }, (_, at) => header(`h${at}`, 2));
    const decoded = decodeEventValue('k', eventValueOf({ ...source, headers }, Buffer.from('{}')));
    expect(decoded.source).toEqual({ ...source, headers: headers.slice(0, maxHeaders), headersOmitted: 8 });
  });
});
