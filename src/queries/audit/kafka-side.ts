import type { KafkaRecord } from '../../schemas/record.ts';
import type { LogEntry } from '../../sinks/immudb/format/log-value.ts';
import type { TxContents } from './contents.ts';
import type { Span } from './coverage.ts';
import { deviationList, type Deviations } from './deviations.ts';
import { letterCopies, type LetterCopies, type LettersTally } from './letter-copies.ts';
import { originals, type LogReader, type Originals, type OriginalsTally } from './originals.ts';

/** Kafka as it is now. Null: that log is not at hand (another cluster, another topic). */
export type LogReaders = {
  readonly source: (log: LogEntry) => LogReader | null;
  readonly deadLetters: (log: LogEntry) => LogReader | null;
};

export type KafkaSideTally = {
  /** Offsets of the source topic. Null: Kafka was not asked. */
  readonly originals: OriginalsTally | null;
  readonly deadLetters: LettersTally | null;
};

export type KafkaSide = {
  /** Resolves with the spans whose every record was compared. */
  compare(contents: TxContents, spans: readonly Span[]): Promise<ReadonlySet<Span>>;
  /** The record of the source topic that lies there; null: Kafka has it no more, or this log is not at hand. */
  recordAt(log: number, partition: number, offset: bigint): Promise<KafkaRecord | null>;
  /** What was found of the newest life of the topic; older lives are gone from Kafka. */
  close(): KafkaSideTally;
};

type Life = { readonly number: number; readonly originals: Originals; readonly deviations: Deviations };

const maxListedOfALife = 1000;

/**
 * The ledger against what Kafka still has. Which life of a topic is the present one shows only at the end of the
 * ledger, so what deviates is kept apart for each life, and counts for the newest.
 */
export const kafkaSide = (
  readers: LogReaders | undefined,
  deviations: Deviations,
  known: ReadonlyMap<number, LogEntry>,
): KafkaSide => {
  const logs = new Map(known);
  let life: Life | null = null;
  let letters: { readonly number: number; readonly copies: LetterCopies } | null = null;

  const lifeOf = async (number: number): Promise<Life | null> => {
    if (life !== null && life.number >= number) return life.number === number ? life : null;
    const log = logs.get(number);
    const reader = log && readers?.source(log);
    if (!reader) return null;
    const own = deviationList(maxListedOfALife);
    life = { number, originals: await originals(reader, own), deviations: own };
    return life;
  };

  const lettersOf = async (number: number, sourceTopic: string): Promise<LetterCopies | null> => {
    if (letters?.number === number) return letters.copies;
    const log = logs.get(number);
    const reader = log && readers?.deadLetters(log);
    if (!reader) return null;
    letters = { number, copies: await letterCopies(reader, sourceTopic, deviations) };
    return letters.copies;
  };

  return {
    compare: async (contents, spans) => {
      for (const { log, key, entry } of contents.logs) {
        if (logs.has(log)) deviations.add('written-again', { tx: contents.id, key }, 'the log was opened before');
        logs.set(log, entry);
      }
      const compared = new Set<Span>();
      for (const span of spans) {
        const log = logs.get(span.log);
        if (log === undefined)
          deviations.add('coverage', { tx: contents.id, key: span.key }, 'no transaction before has opened its log');
        if (await (await lifeOf(span.log))?.originals.compare(contents.id, span)) compared.add(span);
        const [dead] = span.mark.dead;
        if (log !== undefined && dead !== undefined) {
          await (await lettersOf(dead.dlq.log, log.topic))?.compare(contents.id, span);
        }
      }
      return compared;
    },
    recordAt: async (number, partition, offset) => {
      const log = logs.get(number);
      const reader = log && number === life?.number ? readers?.source(log) : null;
      const slice = await reader?.read(partition, offset);
      return slice?.records.find((record) => record.offset === offset) ?? null;
    },
    close: () => {
      for (const { kind, tx, key, what } of life?.deviations.listed() ?? []) {
        deviations.add(kind, { ...(tx !== null && { tx }), ...(key !== null && { key }) }, what);
      }
      return {
        originals: readers === undefined ? null : (life?.originals.tally() ?? { held: 0n, of: 0n, gone: 0n }),
        deadLetters: readers === undefined ? null : (letters?.copies.tally() ?? { held: 0, of: 0, gone: 0 }),
      };
    },
  };
};
