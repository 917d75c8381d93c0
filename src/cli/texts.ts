import type {
  AcceptedGap,
  FoundEvent,
  HeldPartition,
  InitResult,
  Produced,
  ReleasedPartition,
  ReopenedLog,
  SchemaRow,
  Status,
  TopicProblem,
} from './commands.ts';
import { tableOf, type Paint } from './output.ts';

/** What people read: one function for each command's result. */

export const initText = (made: InitResult, paint: Paint): string =>
  [
    `${paint.green('ledger made')} in database ${made.database}, id ${made.ledgerId}`,
    `topics made: ${made.topicsCreated.join(', ') || 'none, they exist'}`,
    ...made.problems.map((problem) => problemText(problem, paint)),
    ...(made.user === null ? [] : [`immudb user made: ${made.user} (reads and writes this database only)`]),
    '',
    `genesis ${paint.bold(made.genesis)}`,
    `pin it: IMMUTRAIL_LEDGER_GENESIS=${made.genesis}`,
    `trusted state: ${made.trustedStateFile} (keep it away from the disk of immudb)`,
    '',
    'users of Kafka with least rights, to be made with its own tools:',
    ...made.kafkaRights.map((command) => `  ${command}`),
  ].join('\n');

const problemText = ({ severity, topic, problem, advice }: TopicProblem, paint: Paint): string =>
  `${severity === 'error' ? paint.red('error') : paint.yellow('warning')} topic ${topic}: ${problem}; ${advice}`;

const number = (value: bigint | null): string => (value === null ? '-' : value.toString());

export const statusText = (status: Status, paint: Paint): string => {
  const rows = status.partitions.map((row) => [
    String(row.partition),
    ...[row.logStart, row.logEnd, row.ledgerNext, row.committed, row.lag, row.lastTx].map(number),
    row.lost > 0n
      ? paint.red(`${row.lost.toString()} lost below the log start: immutrail gap accept ${row.partition}`)
      : '',
  ]);
  const head = ['partition', 'log start', 'log end', 'ledger next', 'committed', 'lag', 'last tx', ''];
  return [
    `ledger  ${status.database} (${status.ledgerId}), ${status.transactions.toString()} transactions`,
    `genesis ${status.genesis}`,
    `topic   ${status.topic} (log ${status.log}, life ${status.incarnation}), group ${status.group}`,
    ...status.problems.map((problem) => problemText(problem, paint)),
    '',
    tableOf(head, rows, [0, 1, 2, 3, 4, 5, 6]),
    '',
    `lag ${status.lag === 0n ? paint.green('0') : paint.yellow(status.lag.toString())}`,
  ].join('\n');
};

/** Bytes as base64, under the names of the ledger format. */
export const eventJson = ({ json, source: { key, original, ...source }, ...rest }: FoundEvent): unknown => ({
  ...rest,
  source: {
    ...source,
    ...(key !== undefined && { key: key === null ? null : key.toString() }),
    ...(original !== undefined && { original_b64: original.toString('base64') }),
  },
  event: JSON.parse(json.toString()) as unknown,
});

export const eventText = ({ eventId, tx, source, json }: FoundEvent, paint: Paint): string =>
  [
    `event ${paint.bold(eventId)} in transaction ${tx.toString()} (proven)`,
    `from  log ${source.log} partition ${source.partition} offset ${source.offset.toString()}`,
    `sent  ${new Date(Number(source.timestamp)).toISOString()}`,
    ...(source.schemaId === undefined
      ? []
      : [`as    ${source.encoding}, schema ${source.schemaId}; its bytes are kept beside the event`]),
    `sha256 ${source.sha256} (value), ${source.recordSha256} (record)`,
    '',
    JSON.stringify(JSON.parse(json.toString()), null, 2),
  ].join('\n');

export const producedText = ({ valid, poison, duplicates, tookMs }: Produced): string => {
  const all = valid + poison + duplicates;
  return `produced ${all} records: ${valid} events, ${duplicates} duplicates, ${poison} poison, in ${(tookMs / 1000).toFixed(1)} s`;
};

export const logText = ({ topic, log, incarnation }: ReopenedLog): string =>
  `topic ${topic} goes on as log ${log} (life ${incarnation}), read from its start; start the pipeline again`;

export const breakerText = (held: readonly HeldPartition[]): string =>
  held.length === 0
    ? 'the breaker holds no partition'
    : [
        ...held.map(
          ({ partition, next, why }) => `partition ${partition} is held at offset ${next.toString()}: ${why}`,
        ),
        '',
        'find out why, then: immutrail breaker release --by YOU --why REASON (docs/operations.md)',
      ].join('\n');

export const releasedText = (released: readonly ReleasedPartition[]): string =>
  released
    .map(
      ({ partition, next, tx }) =>
        `partition ${partition} goes on from offset ${next.toString()} (transaction ${tx.toString()})`,
    )
    .join('\n');

export const gapText = ({ partition, from, to, tx }: AcceptedGap): string =>
  `partition ${partition}: offsets ${from.toString()} to ${(to - 1n).toString()} are accepted as lost in transaction ${tx.toString()}`;

export const schemasText = (rows: readonly SchemaRow[], paint: Paint): string => {
  const bad = rows.filter(({ problems }) => problems.length > 0);
  return [
    tableOf(
      ['subject', 'id'],
      rows.map(({ subject, id }) => [subject, id === null ? '-' : String(id)]),
      [1],
    ),
    '',
    ...bad.flatMap(({ subject, problems }) =>
      problems.map((problem) => `${paint.red('not compatible')} ${subject}: ${problem}`),
    ),
    bad.length === 0
      ? `${rows.length} schemas, ${paint.green('all compatible')}`
      : `${bad.length} of ${rows.length} schemas are not compatible`,
  ].join('\n');
};
