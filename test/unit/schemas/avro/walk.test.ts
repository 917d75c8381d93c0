import { describe, expect, test } from '@jest/globals';
import { Type, type Schema } from 'avsc';
import fc from 'fast-check';
import { walkOf } from '../../../../src/schemas/avro/walk.ts';

const typeOf = (schema: unknown) => Type.forSchema(schema as Schema);
const everything = typeOf({
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'a', type: 'long' },
    { name: 'b', type: ['null', 'string', 'boolean'], default: null },
    { name: 'c', type: { type: 'map', values: ['null', 'double'] } },
    {
      name: 'd',
      type: { type: 'array', items: { type: 'record', name: 'Item', fields: [{ name: 'x', type: 'bytes' }] } },
    },
    { name: 'e', type: { type: 'enum', name: 'Sort', symbols: ['ONE', 'TWO'] } },
    { name: 'f', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'g', type: 'float' },
    { name: 'h', type: 'int' },
    { name: 'i', type: ['null', 'Everything'], default: null },
    { name: 'j', type: 'boolean' },
  ],
});

const values = fc.letrec((tie) => ({
  value: fc.record({
    // avsc takes none beyond 2^53 - 2.
    a: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    b: fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme' }), fc.boolean()),
    c: fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      fc.option(fc.double()),
      {
        noNullPrototype: true,
        maxKeys: 3,
      },
    ),
    d: fc.array(fc.record({ x: fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)) }), { maxLength: 3 }),
    e: fc.constantFrom('ONE', 'TWO'),
    f: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    g: fc.float(),
    h: fc.integer(),
    i: fc.option(tie('value'), { maxDepth: 3 }),
    j: fc.boolean(),
  }),
}));

describe('a walk', () => {
  const walk = walkOf(everything);

  test('finds nothing wrong with what avsc writes, and a fault in every part of it', () => {
    fc.assert(
      fc.property(values.value, fc.nat(), (value, cut) => {
        const bytes = everything.toBuffer(value);
        expect(walk.fault(bytes, 0, true)).toBeNull();
        expect(walk.fault(Buffer.concat([Buffer.of(1, 2), bytes]), 2, true)).toBeNull();
        expect(walk.fault(bytes.subarray(0, cut % bytes.length), 0, false)).not.toBeNull();
        expect(walk.fault(Buffer.concat([bytes, Buffer.of(0)]), 0, false)).toBe('more bytes follow');
      }),
    );
  });

  test('is quick at any bytes, and what it takes avsc takes as well', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        if (walk.fault(Buffer.from(bytes), 0, false) !== null) return;
        try {
          everything.fromBuffer(Buffer.from(bytes));
        } catch (error) {
          expect((error as Error).message).toBe('potential precision loss');
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

const zigzag = (number: bigint): Buffer => {
  const out: number[] = [];
  let rest = number >= 0n ? number * 2n : -number * 2n - 1n;
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.of(...out, Number(rest));
};

describe('hostile bytes', () => {
  const quickly = (schema: unknown, bytes: Buffer) => {
    const walk = walkOf(typeOf(schema));
    const began = process.cpuUsage();
    const fault = walk.fault(bytes, 0, false);
    const { user, system } = process.cpuUsage(began);
    expect(user + system).toBeLessThan(2_000_000);
    return fault;
  };
  const many = 'it has far more items than bytes';

  test.each([
    ['billions of nulls', { type: 'array', items: 'null' }, [zigzag(2n ** 40n), zigzag(0n)], many],
    ['billions of strings that are not there', { type: 'array', items: 'string' }, [zigzag(2n ** 50n)], many],
    ['a negative count of billions', { type: 'map', values: 'int' }, [zigzag(-(2n ** 40n)), zigzag(8n)], many],
    [
      'empty records in lists in lists',
      { type: 'array', items: { type: 'array', items: { type: 'record', name: 'E', fields: [] } } },
      [zigzag(500n), ...Array.from({ length: 500 }, () => Buffer.concat([zigzag(900n), zigzag(0n)])), zigzag(0n)],
      many,
    ],
    ['a negative length', 'string', [zigzag(-5n)], 'a length is negative'],
    ['a length of 2^62', 'bytes', [zigzag(2n ** 62n)], 'the bytes end too early'],
    ['a number without an end', 'long', [Buffer.alloc(11, 0xff)], 'a number has more than ten bytes'],
    ['an enum of no symbol', { type: 'enum', name: 'N', symbols: ['A'] }, [zigzag(1n)], 'an enum has no such symbol'],
    ['a union of no branch', ['null', 'int'], [zigzag(-1n)], 'a union has no such branch'],
    [
      'a key that is a prototype',
      { type: 'map', values: 'int' },
      [zigzag(1n), zigzag(9n), Buffer.from('__proto__'), zigzag(1n), zigzag(0n)],
      'a map has the key __proto__',
    ],
  ])('%s', (_name, schema, parts, fault) => {
    expect(quickly(schema, Buffer.concat(parts))).toBe(fault);
  });

  test('a record that holds itself without end', () => {
    const schema = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] };
    expect(quickly(schema, Buffer.alloc(1_000_000, 2))).toBe('it nests more than 64 deep');
  });

  test('records in records, each twice, of no bytes at all', () => {
    let schema: object = { type: 'record', name: 'R0', fields: [] };
    for (let level = 1; level <= 50; level++) {
      const fields = [
        { name: 'a', type: schema },
        { name: 'b', type: `R${level - 1}` },
      ];
      schema = { type: 'record', name: `R${level}`, fields };
    }
    expect(quickly(schema, Buffer.alloc(0))).toBe(many);
  });

  test('text that is no UTF-8 is found when it is looked for', () => {
    const walk = walkOf(typeOf('string'));
    const bytes = Buffer.of(4, 0xc3, 0x28);
    expect(walk.fault(bytes, 0, false)).toBeNull();
    expect(walk.fault(bytes, 0, true)).toBe('a text is not well-formed UTF-8');
  });
});
