import { requireProof } from './proof-error.ts';

/** Every offset of this partition of this log below `next` is accounted for. */
export type Coverage = { readonly log: number; readonly partition: number; readonly next: bigint };

const maxOffset = (1n << 63n) - 1n;

const padded = (value: number, digits: number): string => value.toString().padStart(digits, '0');

/** `covers <log, 4 digits>/<partition, 5 digits> <next>`, as in the keys of marks. */
export const coverageLine = ({ log, partition, next }: Coverage): string =>
  `covers ${padded(log, 4)}/${padded(partition, 5)} ${next.toString()}`;

/** Throws ProofError (`malformed`). */
export const parseCoverage = (line: string): Coverage => {
  const [, log = '', partition = '', next = ''] = /^covers (\d{4})\/(\d{5}) (0|[1-9]\d{0,18})$/.exec(line) ?? [];
  requireProof(next !== '', 'malformed', 'a checkpoint has a line of coverage that is not one');
  return { log: Number(log), partition: Number(partition), next: BigInt(next) };
};

/** Throws ProofError (`malformed`) unless each partition stands once, in the order of log and partition. */
export const requireOrdered = (covers: readonly Coverage[]): void => {
  let before = -1;
  for (const { log, partition, next } of covers) {
    const isSound = Number.isInteger(log) && Number.isInteger(partition) && log >= 0 && partition >= 0;
    const isInRange = log <= 9999 && partition <= 99_999 && next >= 0n && next <= maxOffset;
    requireProof(isSound && isInRange, 'malformed', 'coverage of a checkpoint is out of range');
    const place = log * 100_000 + partition;
    requireProof(place > before, 'malformed', 'coverage of a checkpoint is out of order, or twice');
    before = place;
  }
};

/** Throws ProofError (`chain`) unless coverage only grew; at one and the same transaction it is the same. */
export const requireExtends = (earlier: readonly Coverage[], later: readonly Coverage[], isSame: boolean): void => {
  const grown = new Map(later.map((each) => [coverageLine({ ...each, next: 0n }), each.next]));
  for (const each of earlier) {
    const next = grown.get(coverageLine({ ...each, next: 0n })) ?? -1n;
    const where = `partition ${each.partition} of log ${each.log}`;
    requireProof(next >= each.next, 'chain', `coverage of ${where} went back`);
    requireProof(!isSame || next === each.next, 'chain', `coverage of ${where} differs at the same transaction`);
  }
  requireProof(!isSame || earlier.length === later.length, 'chain', 'coverage differs at the same transaction');
};
