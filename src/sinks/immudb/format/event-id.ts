import { canonicalEventId } from '../../../schemas/event-id.ts';

/** An event id as the ledger holds it: a lower-case UUID of any version, neither nil nor max. */
export const isEventId = (text: string): boolean => canonicalEventId(text) === text;
