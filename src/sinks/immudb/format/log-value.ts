import { requireWritten, valueMembers } from './members.ts';

/** The value of `meta/log/<log>`: one life of a Kafka topic on one cluster. */
export type LogEntry = {
  readonly clusterId: string;
  readonly topic: string;
  /** 1 for the topic's first life in this ledger, one more for each that `log reopen` begins. */
  readonly incarnation: number;
  readonly openedBy: string;
  readonly why: string;
};

/** Throws LEDGER_FORMAT_INVALID for what decodeLog would refuse. */
export const encodeLog = (log: LogEntry): Buffer => {
  const value = Buffer.from(logText(log));
  decodeLog('a log to be written', value);
  return value;
};

const logText = (log: LogEntry): string =>
  JSON.stringify({
    v: 1,
    cluster_id: log.clusterId,
    topic: log.topic,
    incarnation: log.incarnation,
    opened_by: log.openedBy,
    why: log.why,
  });

/** Throws LEDGER_FORMAT_INVALID. */
export const decodeLog = (key: string, value: Uint8Array): LogEntry => {
  const members = valueMembers(key, value);
  const log = {
    clusterId: members.text('cluster_id'),
    topic: members.text('topic'),
    incarnation: members.integer('incarnation', Number.MAX_SAFE_INTEGER),
    openedBy: members.text('opened_by'),
    why: members.text('why'),
  };
  requireWritten(key, value, Buffer.from(logText(log)));
  return log;
};
