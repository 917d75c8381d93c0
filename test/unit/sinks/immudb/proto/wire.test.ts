import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  bool,
  bytes,
  float,
  int32,
  int64,
  many,
  manyBytes,
  message,
  one,
  string,
  uint32,
  uint64,
} from '../../../../../src/sinks/immudb/proto/wire.ts';

const inner = message({ id: uint64(1), name: string(2) });
const all = message({
  u64: uint64(1),
  i64: int64(2),
  u32: uint32(3),
  i32: int32(4),
  flag: bool(5),
  ratio: float(6),
  text: string(7),
  data: bytes(8),
  parts: manyBytes(9),
  nested: one(10, inner),
  list: many(2000, inner),
});

/** The same message as protobufjs itself reads and writes it. */
const reference = protobuf
  .parse(
    `syntax = "proto3";
     message Inner { uint64 id = 1; string name = 2; }
     message All { uint64 u64 = 1; int64 i64 = 2; uint32 u32 = 3; int32 i32 = 4; bool flag = 5; float ratio = 6;
       string text = 7; bytes data = 8; repeated bytes parts = 9; Inner nested = 10; repeated Inner list = 2000; }`,
    { keepCase: true },
  )
  .root.lookupType('All');

const buffers = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const u64s = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const inners = fc.record({ id: u64s, name: fc.string({ unit: 'binary' }) });
const alls = fc.record({
  u64: u64s,
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  u32: fc.nat(0xffffffff),
  i32: fc.integer(),
  flag: fc.boolean(),
  ratio: fc.float({ noNaN: true }).map((each) => (Object.is(each, -0) ? 0 : each)),
  text: fc.string({ unit: 'binary' }),
  data: buffers,
  parts: fc.array(buffers, { maxLength: 5 }),
  nested: fc.option(inners),
  list: fc.array(inners, { maxLength: 5 }),
});

describe('messages', () => {
  test('what is written is read back', () => {
    fc.assert(fc.property(alls, (value) => expect(all.decode(all.encode(value))).toEqual(value)));
  });

  test('another implementation reads what we write, and we read what it writes', () => {
    fc.assert(
      fc.property(alls, (value) => {
        const written = all.encode(value);
        const again = reference.encode(reference.decode(written)).finish();
        expect(all.decode(Buffer.from(again))).toEqual(value);
        const plain = reference.toObject(reference.decode(written), { longs: String, defaults: true });
        expect(plain).toMatchObject({ u64: value.u64.toString(), i64: value.i64.toString(), text: value.text });
        expect(plain).toMatchObject({ u32: value.u32, i32: value.i32, flag: value.flag, ratio: value.ratio });
      }),
    );
  });

  test('absent fields have the values that proto3 gives them, and are not written', () => {
    const empty = all.decode(Buffer.alloc(0));
    expect(empty).toMatchObject({ u64: 0n, i64: 0n, u32: 0, flag: false, text: '', nested: null, parts: [], list: [] });
    expect(all.encode(empty)).toHaveLength(0);
    expect(all.encode({})).toHaveLength(0);
  });

  test('an empty nested message is there', () => {
    expect(all.decode(all.encode({ nested: {} })).nested).toEqual({ id: 0n, name: '' });
    expect(all.decode(all.encode({ parts: [Buffer.alloc(0)], list: [{}] }))).toMatchObject({
      parts: [Buffer.alloc(0)],
      list: [{ id: 0n, name: '' }],
    });
  });

  test('lists of two messages do not share', () => {
    all.decode(Buffer.alloc(0)).parts.push(Buffer.of(1));
    expect(all.decode(Buffer.alloc(0)).parts).toEqual([]);
  });

  test('fields that are not known are skipped', () => {
    fc.assert(
      fc.property(alls, ({ parts, list, ...value }) => {
        const few = message({ u64: uint64(1), nested: one(10, message({ name: string(2) })) });
        const read = few.decode(all.encode({ ...value, parts, list }));
        expect(read).toEqual({
          u64: value.u64,
          nested: value.nested === null ? null : { name: value.nested.name },
        });
      }),
    );
  });

  test('bytes are views of the message', () => {
    const written = all.encode({ data: Buffer.from('abc') });
    expect(all.decode(written).data.buffer).toBe(written.buffer);
  });

  test.each([
    ['a field of another wire type', '0a0161'],
    ['bytes that end early', '420561'],
    ['a nested message that reaches beyond its end', '5205080142056162'],
    ['a field that reaches beyond its nested message', '5203120561626364'],
    ['an endless number', '08ffffffffffffffffffffff'],
    ['a tag alone', '08'],
  ])('%s is refused', (_, hex) => {
    expect(() => all.decode(Buffer.from(hex, 'hex'))).toThrow();
  });

  test('any bytes are read or refused, quickly', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        try {
          all.decode(Buffer.from(random));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
