import type { Header } from './record.ts';

/** Says of a record that it is the redrive of a dead letter. Only a claim: the ledger's dead letter decides. */
export type RedriveTag = {
  /** The dead letter. */
  readonly of: { readonly log: number; readonly partition: number; readonly offset: bigint };
  /** The attempt that this record is. */
  readonly attempt: number;
  /** As the ledger states it of the redrive under way. */
  readonly nonce: string;
};

const prefix = '__immutrail.redrive.';
const names = ['log', 'partition', 'offset', 'attempt', 'nonce'] as const;

export const redriveHeaders = ({ of, attempt, nonce }: RedriveTag): Header[] =>
  Object.entries({ ...of, attempt, nonce }).map(([name, value]): Header => [
    `${prefix}${name}`,
    Buffer.from(String(value)),
  ]);

export const isRedriveHeader = (name: string): boolean => name.startsWith(prefix);

/** Null for a record without the headers, and for headers that we never write: whoever wrote those, they are nothing. */
export const redriveTagOf = (headers: readonly Header[]): RedriveTag | null => {
  // Most records have none.
  if (!headers.some(([name]) => isRedriveHeader(name))) return null;
  const own = headers.filter(([name]) => isRedriveHeader(name));
  if (own.length !== names.length) return null;
  const texts = new Map(own.map(([name, value]) => [name.slice(prefix.length), value?.toString() ?? '']));
  const log = whole(texts.get('log'), 9999);
  const partition = whole(texts.get('partition'), 99_999);
  const offset = texts.get('offset') ?? '';
  const attempt = whole(texts.get('attempt'), 1_000_000);
  const nonce = texts.get('nonce') ?? '';
  if (log === null || partition === null || attempt === null) return null;
  if (!/^(0|[1-9]\d{0,17})$/.test(offset) || nonce === '') return null;
  return { of: { log, partition, offset: BigInt(offset) }, attempt, nonce };
};

const whole = (text: string | undefined, max: number): number | null =>
  text !== undefined && /^(0|[1-9]\d{0,6})$/.test(text) && Number(text) <= max ? Number(text) : null;
