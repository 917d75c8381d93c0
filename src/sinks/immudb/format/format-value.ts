import { refuse } from './invalid.ts';
import { type Members, requireWritten, valueMembers } from './members.ts';

/** Settings of the database that the format was made for; the four named ones are always there. */
export type LedgerSettings = {
  readonly maxTxEntries: number;
  readonly maxKeyLen: number;
  readonly maxValueLen: number;
  readonly embeddedValues: boolean;
} & Readonly<Record<string, number | boolean>>;

/** The value of `meta/format`, transaction 1 of a ledger. */
export type LedgerFormat = {
  readonly ledgerId: string;
  /** The consumer group that alone writes here. */
  readonly group: string;
  /** `2026-01-31T12:00:00.000Z`; for people, nothing is decided by it. */
  readonly created: string;
  readonly settings: LedgerSettings;
};

/** Throws LEDGER_FORMAT_INVALID for what decodeFormat would refuse. */
export const encodeFormat = (format: LedgerFormat): Buffer => {
  const value = Buffer.from(formatText(format));
  decodeFormat('a format to be written', value);
  return value;
};

/** Settings are written in the order of their names. */
const formatText = (format: LedgerFormat): string =>
  JSON.stringify({
    v: 1,
    format: 1,
    ledger_id: format.ledgerId,
    group: format.group,
    created: format.created,
    segments: 'plain',
    settings: Object.fromEntries(Object.entries(format.settings).sort(([a], [b]) => (a < b ? -1 : 1))),
  });

/** Throws LEDGER_FORMAT_INVALID, also for a format other than 1 or segments other than plain. */
export const decodeFormat = (key: string, value: Uint8Array): LedgerFormat => {
  const members = valueMembers(key, value);
  if (members.integer('format', Number.MAX_SAFE_INTEGER) !== 1) refuse(key, 'format is not 1');
  members.oneOf('segments', ['plain']);
  const format = {
    ledgerId: members.text('ledger_id'),
    group: members.text('group'),
    created: readInstant(key, members),
    settings: readSettings(key, members.object('settings')),
  };
  requireWritten(key, value, Buffer.from(formatText(format)));
  return format;
};

const readInstant = (key: string, members: Members): string => {
  const created = members.text('created');
  const date = new Date(created);
  const exact = !Number.isNaN(date.getTime()) && date.toISOString() === created;
  return exact ? created : refuse(key, 'created is not like 2026-01-31T12:00:00.000Z');
};

const readSettings = (key: string, members: Members): LedgerSettings => {
  const max = Number.MAX_SAFE_INTEGER;
  const further = members.names().map((name) => [name, readSetting(key, members, name)] as const);
  return {
    ...(Object.fromEntries(further) as Readonly<Record<string, number | boolean>>),
    maxTxEntries: members.integer('maxTxEntries', max),
    maxKeyLen: members.integer('maxKeyLen', max),
    maxValueLen: members.integer('maxValueLen', max),
    embeddedValues: members.flag('embeddedValues'),
  };
};

const readSetting = (key: string, members: Members, name: string): number | boolean => {
  if (!/^[a-z][A-Za-z0-9.]*$/.test(name)) return refuse(key, 'settings has a name that is no setting');
  return members.flagOrInteger(name);
};
