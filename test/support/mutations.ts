import type { Random } from '../../src/producers/random.ts';

const fragments = [
  '{"__proto__":{"a":1}}',
  '"__proto__":{"accepted":true},',
  '"constructor":{"prototype":{}},',
  '"event_id":"0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",',
  '"event_data":{},',
  '"duration_ms":1e400,',
  '"duration_ms":-9223372036854775808123,',
  '\\ud800',
  '\\udc00\\ud800',
  '\\u0000',
  '['.repeat(2_000),
  '{"a":'.repeat(500),
  '}]',
  '\u2028',
  '\ufeff',
].map((text) => Buffer.from(text));
const numbers = [
  Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
  Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01),
  Buffer.of(0x01),
  Buffer.of(0xfe, 0xff, 0xff, 0xff, 0x0f),
  Buffer.of(0, 0, 0, 0, 0),
];

/** A value that one or a few hostile hands have been at: bytes flipped, cut, doubled, moved; fragments put in. */
export const mutated = (random: Random, corpus: readonly [Buffer, ...Buffer[]]): Buffer => {
  let value = random.pick(corpus);
  for (let hands = random.between(1, 4); hands > 0; hands--) value = change(random, value, corpus);
  return value;
};

const change = (random: Random, value: Buffer, corpus: readonly [Buffer, ...Buffer[]]): Buffer => {
  const at = random.between(0, value.length);
  const to = Math.min(value.length, at + random.between(0, 20));
  const put = (bytes: Buffer) => Buffer.concat([value.subarray(0, at), bytes, value.subarray(to)]);
  switch (random.between(0, 7)) {
    case 0: {
      const copy = Buffer.from(value);
      if (at < copy.length) copy[at] = random.between(0, 255);
      return copy;
    }
    case 1:
      return value.subarray(0, at);
    case 2:
      return put(Buffer.alloc(0));
    case 3:
      return put(fragments[random.between(0, fragments.length - 1)] ?? Buffer.alloc(0));
    case 4:
      return put(numbers[random.between(0, numbers.length - 1)] ?? Buffer.alloc(0));
    case 5:
      return put(Buffer.from(random.hex(random.between(1, 16)), 'hex'));
    case 6: {
      const other = random.pick(corpus);
      return Buffer.concat([value.subarray(0, at), other.subarray(random.between(0, other.length))]);
    }
    default:
      return Buffer.concat([value, value.subarray(at, to)]);
  }
};
