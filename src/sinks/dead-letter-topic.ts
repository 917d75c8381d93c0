import { PipelineError } from '../errors.ts';
import type { Header, KafkaRecord } from '../schemas/record.ts';
import type { DeadLetter, DeadLetterPlace, DeadLetters } from './dead-letters.ts';

/** Appends records to one partition of the dead-letter topic; resolves with the offset of the first, the others follow. */
export type AppendDeadLetters = (
  partition: number,
  records: readonly {
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: readonly Header[];
  }[],
) => Promise<bigint>;

export type DeadLetterTopicOptions = {
  /** All in-sync replicas, idempotent. DEAD_LETTER_TOO_LARGE when the topic does not take so large a batch. */
  readonly append: AppendDeadLetters;
  /** The topic that the records came from. */
  readonly sourceTopic: string;
  /** Partitions of the dead-letter topic: a letter goes to that of its record, modulo this. */
  readonly partitions: number;
  /** Most bytes of one append; at most max.message.bytes of the topic. A larger letter goes alone. */
  readonly maxRequestBytes: number;
  /** Which part of the pipeline refused the record. */
  readonly stage?: string;
};

const ownPrefix = '__immutrail.';
const foreignPrefix = '_~immutrail.';
const maxMessageChars = 1024;
/** kafkajs copies its list for each record that it adds to a request. */
const maxLettersPerAppend = 500;

/**
 * A dead letter is the record as it was (bytes of key and value, every header) with `__immutrail.errors.*` headers. A
 * record may already have headers with our prefix, which only its producer can have put there: they are kept under
 * `_~immutrail.`, so that nothing a producer sends passes for ours, and the letter grows by our own headers only.
 */
export const deadLetterTopic = (options: DeadLetterTopicOptions): DeadLetters => ({
  send: async (letters) => {
    const places: DeadLetterPlace[] = [];
    const numbered = letters.map((letter, index) => ({ index, letter: toLetter(letter, options) }));
    for (const [partition, members] of Map.groupBy(numbered, ({ letter }) => letter.partition)) {
      for (const chunk of cutByBytes(members, options.maxRequestBytes)) {
        for (const { index, offset } of await appendAll(options.append, partition, chunk)) {
          places[index] = { partition, offset };
        }
      }
    }
    return places;
  },
});

type Letter = {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
};
type Numbered = { readonly index: number; readonly letter: Letter };

/** What is refused as too large is halved, down to one letter: bytes are estimated, and topics get new limits. */
const appendAll = async (
  append: AppendDeadLetters,
  partition: number,
  chunk: readonly Numbered[],
): Promise<{ index: number; offset: bigint }[]> => {
  try {
    const first = await append(
      partition,
      chunk.map(({ letter }) => letter),
    );
    return chunk.map(({ index }, i) => ({ index, offset: first + BigInt(i) }));
  } catch (error) {
    const isTooLarge = error instanceof PipelineError && error.code === 'DEAD_LETTER_TOO_LARGE';
    if (!isTooLarge || chunk.length === 1) throw error;
    const middle = Math.ceil(chunk.length / 2);
    const front = await appendAll(append, partition, chunk.slice(0, middle));
    return [...front, ...(await appendAll(append, partition, chunk.slice(middle)))];
  }
};

const toLetter = ({ record, code, message, attempt = 1 }: DeadLetter, options: DeadLetterTopicOptions): Letter => {
  const facts = {
    topic: options.sourceTopic,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    code,
    message: message.slice(0, maxMessageChars).toWellFormed(),
    stage: options.stage ?? 'pipeline',
    attempts: attempt,
  };
  const own = Object.entries(facts).map(([name, value]): Header => [
    `${ownPrefix}errors.${name}`,
    Buffer.from(String(value)),
  ]);
  return {
    partition: record.partition % options.partitions,
    key: record.key,
    value: record.value,
    headers: [...record.headers.map(disown), ...own],
  };
};

const disown = ([name, value]: Header): Header =>
  name.startsWith(ownPrefix) ? [foreignPrefix + name.slice(ownPrefix.length), value] : [name, value];

/** A record as it was before it became a letter, and the topic that it came from. */
export type OriginalRecord = { readonly topic: string; readonly record: KafkaRecord };

/** The inverse of what `deadLetterTopic` sends; null for a record that it did not write. */
export const originalOf = (letter: KafkaRecord): OriginalRecord | null => {
  const ours = new Map(letter.headers.filter(([name]) => name.startsWith(`${ownPrefix}errors.`)));
  const fact = (name: string) => ours.get(`${ownPrefix}errors.${name}`)?.toString() ?? '';
  const [partition, offset, timestamp] = [fact('partition'), fact('offset'), fact('timestamp')];
  if (!/^\d{1,5}$/.test(partition) || !/^\d{1,19}$/.test(offset) || !/^(-1|\d{1,16})$/.test(timestamp)) return null;
  const headers = letter.headers.filter(([name]) => !name.startsWith(ownPrefix)).map(reown);
  const place = { partition: Number(partition), offset: BigInt(offset), timestamp: BigInt(timestamp) };
  return { topic: fact('topic'), record: { ...letter, ...place, timestampType: 'create', headers } };
};

const reown = ([name, value]: Header): Header =>
  name.startsWith(foreignPrefix) ? [ownPrefix + name.slice(foreignPrefix.length), value] : [name, value];

const cutByBytes = (letters: readonly Numbered[], maxBytes: number): Numbered[][] => {
  const chunks: Numbered[][] = [];
  let room = 0;
  for (const letter of letters) {
    const bytes = bytesOf(letter.letter);
    const current = chunks.at(-1);
    if (current && bytes <= room && current.length < maxLettersPerAppend) {
      current.push(letter);
      room -= bytes;
    } else {
      chunks.push([letter]);
      room = maxBytes - batchHeaderBytes - bytes;
    }
  }
  return chunks;
};

const batchHeaderBytes = 61;
/** Lengths, deltas and attributes are varints: at most so many bytes of a record and of a header. */
const recordOverheadBytes = 36;
const headerOverheadBytes = 10;

const bytesOf = ({ key, value, headers }: Letter): number =>
  headers.reduce(
    (sum, [name, header]) => sum + headerOverheadBytes + Buffer.byteLength(name) + (header?.length ?? 0),
    recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0),
  );
