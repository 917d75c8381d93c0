import { PipelineError } from '../errors.ts';
import type { Coordinates } from '../sinks/immudb/format/keys.ts';
import { parseKey } from '../sinks/immudb/format/parse-key.ts';

/** How people name a dead letter: where its record lay, `log/partition/offset`. */
export const letterId = ({ log, partition, offset }: Coordinates): string => `${log}/${partition}/${offset.toString()}`;

/** Also takes the ledger's key of it. Throws USAGE. */
export const parseLetterId = (text: string): Coordinates => {
  const key = parseKey(text);
  if (key.kind === 'dead') return { log: key.log, partition: key.partition, offset: key.offset };
  const [, log, partition, offset] = /^(\d{1,4})\/(\d{1,5})\/(\d{1,18})$/.exec(text) ?? [];
  if (log === undefined || partition === undefined || offset === undefined) {
    throw new PipelineError('USAGE', `${text} names no dead letter: say log/partition/offset, as \`dlq list\` does`);
  }
  return { log: Number(log), partition: Number(partition), offset: BigInt(offset) };
};
