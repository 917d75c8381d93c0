import { maxLog, maxPartition } from './digits.ts';
import type { Coordinates } from './keys.ts';
import type { Members } from './members.ts';

/** `{"log":1,"partition":3,"offset":"42"}`, not padded, as values hold it. */
export const coordinatesObject = (at: Coordinates): object => ({
  log: at.log,
  partition: at.partition,
  offset: String(at.offset),
});

export const readCoordinates = (members: Members): Coordinates => ({
  log: members.integer('log', maxLog),
  partition: members.integer('partition', maxPartition),
  offset: members.decimal('offset'),
});
