/**
 * Every way to flip one bit anywhere inside `value` (byte arrays, numbers, bigints and lists of them), up to `stride`:
 * with a stride of 1 each bit once. Yields a changed copy and the place that was changed.
 */
export function* bitFlips<T>(value: T, stride = 1): Generator<{ readonly changed: T; readonly at: string }> {
  let count = 0;
  for (const { changed, at } of flips(value, '')) if (count++ % stride === 0) yield { changed: changed as T, at };
}

type Flip = { readonly changed: unknown; readonly at: string };

function* flips(value: unknown, at: string): Generator<Flip> {
  if (value instanceof Uint8Array) yield* byteFlips(value, at);
  else if (typeof value === 'bigint')
    for (let i = 0n; i < 63n; i++) yield { changed: value ^ (1n << i), at: `${at}^${i.toString()}` };
  else if (typeof value === 'number')
    for (let i = 0; i < 31; i++) yield { changed: value ^ (1 << i), at: `${at}^${i}` };
  else if (Array.isArray(value)) yield* listFlips(value, at);
  else if (typeof value === 'object' && value !== null) yield* fieldFlips(value, at);
}

function* byteFlips(bytes: Uint8Array, at: string): Generator<Flip> {
  for (let i = 0; i < bytes.length * 8; i++) {
    const changed = Uint8Array.from(bytes);
    changed[i >> 3]! ^= 1 << (i & 7);
    yield { changed, at: `${at}[${i >> 3}]^${i & 7}` };
  }
}

/** Each element changed, left out, doubled, swapped with the next. */
function* listFlips(list: readonly unknown[], at: string): Generator<Flip> {
  for (const [i, each] of list.entries()) {
    for (const flip of flips(each, `${at}[${i}]`)) yield { changed: list.with(i, flip.changed), at: flip.at };
    yield { changed: list.toSpliced(i, 1), at: `${at}[${i}] left out` };
    yield { changed: list.toSpliced(i, 0, each), at: `${at}[${i}] doubled` };
    if (i + 1 < list.length) yield { changed: list.toSpliced(i, 2, list[i + 1], each), at: `${at}[${i}] swapped` };
  }
}

function* fieldFlips(fields: object, at: string): Generator<Flip> {
  for (const [name, each] of Object.entries(fields))
    for (const flip of flips(each, `${at}.${name}`))
      yield { changed: { ...fields, [name]: flip.changed }, at: flip.at };
}
