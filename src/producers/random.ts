/** Random choices that are the same for the same seed, on every machine. For made-up data only, never for secrets. */
export type Random = {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of the list, which must not be empty. */
  pick<T>(list: readonly [T, ...T[]]): T;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** So many lower-case hex digits. */
  hex(digits: number): string;
};

/** sfc32 by Chris Doty-Humphrey (PractRand), 128 bits of state, here begun from one 32-bit seed. */
const sfc32 = (seed: number): (() => number) => {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88, 1];
  const step = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // Its author's advice: throw the first outcomes away, in which close seeds still look alike.
  for (let round = 0; round < 15; round++) step();
  return step;
};

export const seededRandom = (seed: number): Random => {
  const step = sfc32(seed);
  const next = (): number => step() / 0x1_0000_0000;
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const word = (): string => step().toString(16).padStart(8, '0');
  return {
    next,
    between,
    pick: (list) => list[between(0, list.length - 1)] ?? list[0],
    chance: (probability) => next() < probability,
    hex: (digits) =>
      Array.from({ length: Math.ceil(digits / 8) }, word)
        .join('')
        .slice(0, digits),
  };
};
