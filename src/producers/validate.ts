import { checkOf, type Problem } from '../schemas/catalogue/check.ts';
import { envelope } from '../schemas/catalogue/envelope.ts';
import { payloadProblems } from '../schemas/catalogue/payloads.ts';
import { decode, maxEventDataBytes } from '../schemas/decode.ts';
import type { AuditEvent } from './audit-event.ts';

const checkEnvelope = checkOf(envelope);

/**
 * All that the pipeline would refuse of an event, at once: its envelope, its payload, its size and depth, and what only
 * shows in its JSON, which is `json`. Empty: it will be stored.
 */
export const problemsOf = (event: AuditEvent, json: Buffer): readonly string[] => {
  const envelopeProblems: Problem[] = [];
  checkEnvelope(event, envelopeProblems);
  // What JSON.stringify leaves out is not there.
  const sent = envelopeProblems.filter(({ at }) => at !== '');
  const told = [
    ...sent.map(({ at, problem }) => `${at} ${problem}`),
    ...payloadProblems(event.event_type, event.event_data).map(({ at, problem }) => `event_data.${at} ${problem}`),
  ];
  const dataBytes = Buffer.byteLength(JSON.stringify(event.event_data));
  if (dataBytes > maxEventDataBytes)
    told.push(`event_data has ${dataBytes} bytes; at most ${maxEventDataBytes} are taken`);
  const decoded = decode(json);
  if (decoded.accepted || told.length > 0) return told;
  return [decoded.message];
};
