import { randomUUID } from 'node:crypto';
import type { Random } from './random.ts';

export type UuidSource = () => string;

type Chance = {
  /** Where a new millisecond's counter begins, 0 to 2047. */
  counter(): number;
  /** The last 62 bits with the variant before them, written `xxxx-xxxxxxxxxxxx`. */
  tail(): string;
};

const maxCounter = 0xfff;

/** The operating system's randomness; randomUUID draws it in large portions and its variant bits are already right. */
const cryptographic: Chance = {
  counter: () => parseInt(randomUUID().slice(0, 3), 16) >> 1,
  tail: () => randomUUID().slice(19),
};

const seeded = (random: Random): Chance => ({
  counter: () => random.between(0, 0x7ff),
  tail: () => `${random.pick(['8', '9', 'a', 'b'])}${random.hex(3)}-${random.hex(12)}`,
});

/**
 * UUIDs of version 7 (RFC 9562), each greater than the one before it as text: within a millisecond the 12 bits behind
 * the time count up (method 1 of its section 6.2), and a clock that goes back, or more ids than the counter holds,
 * borrow from the milliseconds to come. With `random` they are the same for the same seed and clock.
 */
export const uuidV7Source = (options: { readonly now?: () => number; readonly random?: Random } = {}): UuidSource => {
  const now = options.now ?? Date.now;
  const chance = options.random === undefined ? cryptographic : seeded(options.random);
  let lastMs = -1;
  let counter = 0;
  return () => {
    const ms = Math.floor(now());
    if (ms <= lastMs && counter < maxCounter) counter++;
    else {
      lastMs = Math.max(ms, lastMs + 1);
      counter = chance.counter();
    }
    const time = lastMs.toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${chance.tail()}`;
  };
};
