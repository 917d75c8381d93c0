import { valueSha256 } from '../schemas/record-hash.ts';
import type { Redrive, Sink } from '../sinks/sink.ts';
import type { Judged } from './judge.ts';
import type { Retrying } from './retrying.ts';

/**
 * Finds out which records settle the redrive of a dead letter. Headers are a claim that any producer can make: they
 * count only if the ledger states that very redrive as under way, with this nonce and the hash of this value. One
 * record settles a letter; a second copy in the same batch is a record like any other.
 */
export const redriven = (sink: Pick<Sink, 'redrives'>, retrying: Retrying) => {
  return async (judged: readonly Judged[], over: AbortSignal): Promise<void> => {
    const claims = judged.filter(({ tag }) => tag !== null);
    if (claims.length === 0) return;
    const of = [...new Map(claims.flatMap(({ tag }) => (tag ? [[placeOf(tag.of), tag.of]] : []))).values()];
    const found = await retrying('reading redrives', () => sink.redrives(of), over);
    const open = new Map(found.map((redrive) => [placeOf(redrive.of), redrive]));
    for (const one of claims) {
      const place = one.tag ? placeOf(one.tag.of) : '';
      const redrive = open.get(place) ?? null;
      one.redrive = redrive !== null && settles(one, redrive) ? redrive : null;
      if (one.redrive !== null) open.delete(place);
    }
  };
};

const settles = ({ tag, record }: Judged, { nonce, expectedSha256 }: Redrive): boolean =>
  tag?.nonce === nonce && valueSha256(record.value) === expectedSha256;

const placeOf = ({ log, partition, offset }: Redrive['of']): string => `${log}/${partition}/${offset.toString()}`;
