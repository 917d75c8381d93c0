import protobuf from 'protobufjs/minimal.js';

const { Reader, Writer } = protobuf;
type Reader = InstanceType<typeof Reader>;
type Writer = InstanceType<typeof Writer>;

/**
 * Protocol-buffer messages as tables of fields, read and written by protobufjs: 64-bit numbers are bigint, bytes are
 * Buffers that view the message they came in (copy what outlives it), and the TypeScript type follows from the table.
 */
export type Field<Out, In = Out> = {
  readonly number: number;
  readonly wireType: number;
  /** What the field is when the message does not have it. */
  absent(): Out;
  /** The field's value after reading one more occurrence of it. */
  read(reader: Reader, before: Out): Out;
  /** Writes nothing for what a reader takes an absent field for. */
  write(writer: Writer, value: In): void;
};

export type Message<Out, In> = {
  /** A buffer of its own. */
  encode(value: In): Buffer;
  /** Throws RangeError or Error when the bytes are not such a message; unknown fields are skipped. */
  decode(bytes: Buffer): Out;
  readFrom(reader: Reader, end: number): Out;
  writeTo(writer: Writer, value: In): void;
};

type Fields = Readonly<Record<string, Field<unknown>>>;
export type Decoded<F> = { -readonly [K in keyof F]: F[K] extends Field<infer Out, never> ? Out : never };
export type Encodable<F> = { readonly [K in keyof F]?: F[K] extends Field<unknown, infer In> ? In | undefined : never };

const varint = 0;
const delimited = 2;
const fixed32 = 5;

export const message = <F extends Fields>(fields: F): Message<Decoded<F>, Encodable<F>> => {
  const named = Object.entries<Field<unknown>>(fields);
  const byNumber = new Map(named.map(([name, field]) => [field.number, { name, field }]));
  const readFrom = (reader: Reader, end: number): Decoded<F> => {
    const out: Record<string, unknown> = Object.fromEntries(named.map(([name, field]) => [name, field.absent()]));
    while (reader.pos < end) readField(reader, byNumber, out);
    if (reader.pos !== end) throw new RangeError('a field reaches beyond its message');
    return out as Decoded<F>;
  };
  const writeTo = (writer: Writer, value: Encodable<F>): void => {
    for (const [name, field] of named) {
      const given = (value as Record<string, unknown>)[name];
      if (given !== undefined) field.write(writer, given);
    }
  };
  return {
    readFrom,
    writeTo,
    decode: (bytes) => readFrom(Reader.create(bytes), bytes.length),
    encode: (value) => {
      const writer = Writer.create();
      writeTo(writer, value);
      return writer.finish() as Buffer;
    },
  };
};

type Numbered = ReadonlyMap<number, { readonly name: string; readonly field: Field<unknown> }>;

const readField = (reader: Reader, byNumber: Numbered, out: Record<string, unknown>): void => {
  const tag = reader.uint32();
  const known = byNumber.get(tag >>> 3);
  if (known === undefined) {
    reader.skipType(tag & 7);
    return;
  }
  if ((tag & 7) !== known.field.wireType) throw new Error(`field ${known.name} has wire type ${tag & 7}`);
  out[known.name] = known.field.read(reader, out[known.name]);
};

const scalar =
  <T>(wireType: number, absent: T, read: (reader: Reader) => T, write: (writer: Writer, value: T) => void) =>
  (number: number): Field<T> => ({
    number,
    wireType,
    absent: () => absent,
    read,
    write: (writer, value) => {
      if (value !== absent) write(writer.uint32((number << 3) | wireType), value);
    },
  });

const readUint64 = (reader: Reader): bigint => {
  const { low, high } = reader.uint64();
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
};
// protobufjs parses decimal text as a signed number; the same bits as a signed one are safe for both.
const writeUint64 = (writer: Writer, value: bigint): unknown => writer.uint64(BigInt.asIntN(64, value).toString());

export const uint64 = scalar(varint, 0n, readUint64, writeUint64);
export const int64 = scalar(varint, 0n, (reader) => BigInt.asIntN(64, readUint64(reader)), writeUint64);
export const uint32 = scalar(
  varint,
  0,
  (reader) => reader.uint32(),
  (writer, value) => writer.uint32(value),
);
export const int32 = scalar(
  varint,
  0,
  (reader) => reader.int32(),
  (writer, value) => writer.int32(value),
);
export const bool = scalar(
  varint,
  false,
  (reader) => reader.bool(),
  (writer, value) => writer.bool(value),
);
export const float = scalar(
  fixed32,
  0,
  (reader) => reader.float(),
  (writer, value) => writer.float(value),
);
export const string = scalar(
  delimited,
  '',
  (reader) => reader.string(),
  (writer, value) => writer.string(value),
);

const readBytes = (reader: Reader): Buffer => reader.bytes() as Buffer;

export const bytes = (number: number): Field<Buffer, Uint8Array> => ({
  number,
  wireType: delimited,
  absent: () => Buffer.alloc(0),
  read: readBytes,
  write: (writer, value) => {
    if (value.length > 0) writer.uint32((number << 3) | delimited).bytes(value);
  },
});

export const manyBytes = (number: number): Field<Buffer[], readonly Uint8Array[]> => ({
  number,
  wireType: delimited,
  absent: () => [],
  read: (reader, before) => pushed(before, readBytes(reader)),
  write: (writer, values) => {
    for (const value of values) writer.uint32((number << 3) | delimited).bytes(value);
  },
});

/** A nested message; null when absent. A second occurrence replaces the first, as servers never send two. */
export const one = <Out, In>(number: number, of: Message<Out, In>): Field<Out | null, In | null> => ({
  number,
  wireType: delimited,
  absent: () => null,
  read: (reader) => readNested(reader, of),
  write: (writer, value) => {
    if (value !== null) writeNested(writer, number, of, value);
  },
});

export const many = <Out, In>(number: number, of: Message<Out, In>): Field<Out[], readonly In[]> => ({
  number,
  wireType: delimited,
  absent: () => [],
  read: (reader, before) => pushed(before, readNested(reader, of)),
  write: (writer, values) => {
    for (const value of values) writeNested(writer, number, of, value);
  },
});

const pushed = <T>(list: T[], item: T): T[] => {
  list.push(item);
  return list;
};

const readNested = <Out, In>(reader: Reader, of: Message<Out, In>): Out => {
  const length = reader.uint32();
  return of.readFrom(reader, reader.pos + length);
};

const writeNested = <Out, In>(writer: Writer, number: number, of: Message<Out, In>, value: In): void => {
  of.writeTo(writer.uint32((number << 3) | delimited).fork(), value);
  writer.ldelim();
};
