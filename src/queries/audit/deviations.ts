/** What an audit can find wrong, by the promise that does not hold. docs/audit.md says what each means. */
export const deviationKinds = [
  'trust',
  'chain',
  'entries',
  'unreadable',
  'format',
  'metadata',
  'coverage',
  'event',
  'posting',
  'duplicate',
  'dead-letter',
  'written-again',
  'original',
] as const;
export type DeviationKind = (typeof deviationKinds)[number];

/** Something that does not hold, with the transaction and the key that it was found at; null: of no single one. */
export type Deviation = {
  readonly kind: DeviationKind;
  readonly tx: bigint | null;
  readonly key: string | null;
  readonly what: string;
};

/** All are counted, by kind; the first ones are kept. */
export type Deviations = {
  add(kind: DeviationKind, at: { readonly tx?: bigint; readonly key?: string }, what: string): void;
  total(): number;
  byKind(): ReadonlyMap<DeviationKind, number>;
  listed(): readonly Deviation[];
};

export const deviationList = (maxListed: number, before: readonly Deviation[] = [], unlisted = 0): Deviations => {
  const listed: Deviation[] = before.slice(0, maxListed);
  const counts = new Map<DeviationKind, number>();
  for (const { kind } of before) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  let total = before.length + unlisted;
  return {
    add: (kind, { tx = null, key = null }, what) => {
      total += 1;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      if (listed.length < maxListed) listed.push({ kind, tx, key: key === null ? null : shown(key), what });
    },
    total: () => total,
    byKind: () => counts,
    listed: () => listed,
  };
};

/** A key can be anything that somebody wrote into the ledger. */
const shown = (key: string): string => key.replace(/[^\u0020-\u007e]/g, '?').slice(0, 600);

export const deviationText = ({ tx, key, what }: Deviation): string =>
  `${tx === null ? 'ledger' : `transaction ${tx.toString()}`}: ${key === null ? '' : `${key}: `}${what}`;
