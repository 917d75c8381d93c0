import { describe, expect, test } from '@jest/globals';
import { Type, type Schema } from 'avsc';
import fc from 'fast-check';
import { longReader, type AvroRead } from '../../../../src/schemas/avro/avro-reader.ts';
import { directReader } from '../../../../src/schemas/avro/direct.ts';
import { seededRandom } from '../../../../src/producers/random.ts';
import { story } from '../../../../src/producers/story/story.ts';
import { avroSchemaOf } from '../../../../src/schemas/catalogue/avro-schema.ts';
import { documentFieldsOf, eventTypes } from '../../../../src/schemas/catalogue/services.ts';

const typeOf = (schema: unknown) => Type.forSchema(schema as Schema);
const both = (type: Type, documents: readonly string[] = []) => ({
  direct: directReader(type, documents)!,
  long: longReader(type),
});

/** What is absent is null in one of the two. */
const told = (read: AvroRead) => {
  if (read.kind !== 'event') throw new Error(JSON.stringify(read));
  const there = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, one: unknown) => one ?? undefined));
  return { event: there(read.event), json: read.json.toString(), depth: read.depth };
};

describe('the direct way reads as the long way does', () => {
  test('every event of the catalogue', () => {
    const readers = new Map(
      [...eventTypes.values()].map((known) => {
        const type = typeOf(avroSchemaOf(known));
        return [known.type, { type, ...both(type, documentFieldsOf(known.type)) }] as const;
      }),
    );
    for (const [name, { direct }] of readers) expect([name, typeof direct]).toEqual([name, 'function']);
    for (const event of Array.from({ length: 20 }, (_, seed) => story(seededRandom(seed), 1_772_000_000_000)).flat()) {
      const { type, direct, long } = readers.get(event.event_type)!;
      const data: Record<string, unknown> = { ...event.event_data };
      for (const name of documentFieldsOf(event.event_type))
        if (data[name] !== undefined) data[name] = JSON.stringify(data[name]);
      const bytes = Buffer.concat([Buffer.of(9), type.toBuffer({ ...event, event_data: data })]);
      const found = direct(bytes, 1);
      expect(found).not.toBeNull();
      expect(told(found!)).toEqual(told(long(bytes, 1)));
    }
  });

  const inner = {
    type: 'record',
    name: 'Data',
    fields: [
      { name: 'free', type: ['null', 'string'], default: null },
      { name: 'labels', type: { type: 'map', values: 'string' } },
      { name: 'list', type: { type: 'array', items: 'string' } },
      { name: 'ratio', type: ['double', 'null'] },
      { name: 'yes', type: ['null', 'boolean'] },
      {
        name: 'deep',
        type: ['null', { type: 'record', name: 'Deep', fields: [{ name: 'n', type: ['null', 'int'] }] }],
      },
    ],
  };
  const schema = {
    type: 'record',
    name: 'Everything',
    fields: [
      { name: 'text', type: 'string' },
      { name: 'number', type: ['null', 'long'] },
      { name: 'event_data', type: inner },
    ],
  };
  const type = typeOf(schema);
  const { direct, long } = both(type, ['free']);
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const value = fc.record({
    text: fc.oneof(text, fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u007f', 'a', 'ß', '\ufffd') })),
    number: fc.option(fc.oneof(fc.integer(), fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 31, 2 ** 51, -(2 ** 52)))),
    event_data: fc.record({
      free: fc.constant(null),
      labels: fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        text,
        { noNullPrototype: true, maxKeys: 3 },
      ),
      list: fc.array(text, { maxLength: 3 }),
      ratio: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      yes: fc.option(fc.boolean()),
      deep: fc.option(fc.record({ n: fc.option(fc.integer()) })),
    }),
  });

  test('anything of its kinds', () => {
    let direct_ = 0;
    fc.assert(
      fc.property(value, (one) => {
        const bytes = type.toBuffer(one);
        const found = direct(bytes, 0);
        if (found === null) return;
        direct_++;
        expect(told(found)).toEqual(told(long(bytes, 0)));
      }),
      { numRuns: 500 },
    );
    expect(direct_).toBeGreaterThan(300);
  });

  test('bytes that somebody changed: taken by neither, or by both for the same', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(value, fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(9), (one, changes, cut) => {
        const bytes = type.toBuffer(one);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        const short = bytes.subarray(0, bytes.length - (cut > 7 ? 1 : 0));
        const found = direct(short, 0);
        if (found !== null) expect(told(found)).toEqual(told(long(short, 0)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('what earlier events left in its buffers does not change them, nor the next', () => {
    const bytes = type.toBuffer({
      text: 'x'.repeat(3_000),
      number: null,
      event_data: { free: null, labels: {}, list: [], ratio: null, yes: null, deep: null },
    });
    const many = Array.from({ length: 100 }, () => direct(bytes, 0)!);
    for (const one of many) expect(one.json.equals(many[0]!.json)).toBe(true);
    expect(told(many[0]!)).toEqual(told(long(bytes, 0)));
  });
});

describe('it leaves to the long way', () => {
  const record = (type: unknown) => typeOf({ type: 'record', name: 'R', fields: [{ name: 'a', type }] });
  test.each([
    ['bytes', 'bytes'],
    ['a union of three', ['null', 'int', 'string']],
    ['a list of what may be null', { type: 'array', items: ['null', 'int'] }],
    ['a record that holds itself', ['null', 'R']],
    ['an enum', { type: 'enum', name: 'E', symbols: ['A'] }],
  ])('a schema with %s', (_, type) => {
    expect(directReader(record(type), [])).toBeNull();
  });

  test.each([
    ['a map with a key that is an index', { type: 'map', values: 'string' }, { '1': 'x' }],
    ['a text of 9 KB', 'string', 'x'.repeat(9_000)],
    ['a number that is not exact', 'long', 2 ** 53 - 2],
    ['a number that is none', 'double', NaN],
  ])('%s', (_, type, value) => {
    const made = record(type);
    expect(directReader(made, [])!(made.toBuffer({ a: value }), 0)).toBeNull();
  });

  test('a map with a key that stands twice, and bytes that are no text', () => {
    const map = record({ type: 'map', values: 'string' });
    const twice = Buffer.from([4, 2, 0x61, 2, 0x62, 2, 0x61, 2, 0x63, 0]);
    expect(directReader(map, [])!(twice, 0)).toBeNull();
    expect(longReader(map)(twice, 0).kind).toBe('event');
    expect(directReader(record('string'), [])!(Buffer.of(4, 0xc3, 0x28), 0)).toBeNull();
  });
});
