import type { RejectionCode } from '../schemas/rejection.ts';
import type { AuditEvent } from './audit-event.ts';

/** Spoils a right event so that it is dead-lettered for one reason. */
export type Poison = {
  readonly code: RejectionCode;
  readonly spoil: (event: AuditEvent) => Buffer | null;
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const text = (event: AuditEvent): string => JSON.stringify(event);

const poison = (code: RejectionCode, spoil: Poison['spoil']): Poison => ({ code, spoil });

/** Fields in the place of the right ones; undefined takes one away. */
const fields = (code: RejectionCode, wrong: Readonly<Record<string, unknown>>): Poison =>
  poison(code, (event) => json({ ...event, ...wrong }));

const withMember = (code: RejectionCode, member: string): Poison =>
  poison(code, (event) => Buffer.from(`${text(event).slice(0, -1)},${member}}`));

const largeText = 'x'.repeat(270_000);
const deepJson = `${'{"deeper":'.repeat(12)}{}${'}'.repeat(12)}`;

/** One for each reason that lies in the record itself, in the order in which a generator deals them out. */
export const poisons: readonly [Poison, ...Poison[]] = [
  poison('JSON_INVALID', (event) => Buffer.from(text(event).slice(0, -40))),
  fields('FIELD_MISSING', { correlation_id: undefined }),
  fields('OUTCOME_INVALID', { event_outcome: 'maybe' }),
  fields('TIME_INVALID', { event_timestamp: 'yesterday at noon' }),
  poison('VALUE_NULL', () => null),
  fields('EVENT_ID_INVALID', { event_id: '42' }),
  poison('UTF8_INVALID', (event) => Buffer.concat([Buffer.from(text(event)).subarray(0, -2), Buffer.of(0xff, 0x7d)])),
  withMember('KEY_DUPLICATED', '"event_outcome":"success"'),
  fields('FIELD_TYPE', { event_data: 'not an object' }),
  poison('BOM_PRESENT', (event) => Buffer.from(`\ufeff${text(event)}`)),
  fields('EVENT_TYPE_INVALID', { event_type: 'gateway signal/received' }),
  withMember('UNICODE_INVALID', '"note":"half \\ud83d"'),
  poison('VALUE_EMPTY', () => Buffer.alloc(0)),
  fields('FIELD_LENGTH', { event_action: 'x'.repeat(51) }),
  withMember('DEPTH_EXCEEDED', `"event_metadata":${deepJson}`),
  poison('JSON_NOT_OBJECT', (event) => json([event])),
  fields('FIELD_RANGE', { retention_days: 40_000 }),
  poison('ENCODING_UNKNOWN', (event) => Buffer.concat([Buffer.of(0, 0, 0, 0, 7), Buffer.from(text(event))])),
  fields('FIELD_FORMAT', { parent_event_id: 'the one before' }),
  poison('PAYLOAD_INVALID', (event) => json({ ...event, event_data: { ...event.event_data, event_type: 'other' } })),
  fields('EVENT_DATA_TOO_LARGE', { event_data: { log: largeText } }),
];

/** Another event under the id of one that was sent before: only the ledger can tell. */
export const conflict = (sent: AuditEvent): Buffer =>
  json({ ...sent, event_data: { ...sent.event_data, amended: 'told another way' } });
