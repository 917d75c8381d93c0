import { PipelineError } from '../errors.ts';
import { isRedriveHeader, redriveHeaders } from '../schemas/redrive-headers.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import { deadKey, type Coordinates } from '../sinks/immudb/format/keys.ts';
import { readLetters, type LedgerLetter } from '../sinks/immudb/letters.ts';
import type { DeskPorts, OutgoingRecord } from './desk-ports.ts';
import { untilPassed } from './progress-of-pipeline.ts';

/** A letter whose redrive the ledger states, and the record that is to settle it. */
export type Outgoing = { readonly letter: LedgerLetter; readonly record: KafkaRecord };

export type Sent = {
  /** The offset after the last record, by partition. */
  readonly ends: ReadonlyMap<number, bigint>;
  /** Letters whose record is larger than the topic takes. */
  readonly tooLarge: readonly Outgoing[];
};

/** Kafkajs copies its list for each record of a request, and a broker takes 1 MB at once by default. */
const maxRecords = 500;
const maxBytes = 700_000;
const recordOverhead = 100;
const maxTries = 5;

/**
 * Appends the records to the partitions that they came from, in their order. What is not acknowledged may be there all
 * the same: then the pipeline is waited for, and only letters that it has not settled are sent again.
 */
export const sendOutgoing = async (
  ports: DeskPorts,
  letters: readonly Outgoing[],
  limits: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<Sent> => {
  const ends = new Map<number, bigint>();
  const tooLarge: Outgoing[] = [];
  let rest = letters;
  for (let tries = 1; rest.length > 0; tries += 1) {
    try {
      for (const [partition, members] of Map.groupBy(rest, ({ letter }) => letter.at.partition % ports.partitions)) {
        for (const group of groupsOf(members)) {
          const next = await append(ports, partition, group, tooLarge);
          if (next !== null) ends.set(partition, next);
        }
      }
      return { ends, tooLarge };
    } catch (error) {
      const mayBeThere = error instanceof PipelineError && error.disposition === 'retry';
      if (!mayBeThere || tries === maxTries) throw error;
      const reached = await ports.retry('asking where the topic ends', ports.ends, limits.signal);
      await untilPassed(ports, reached, limits);
      const given = new Set(tooLarge);
      rest = await unsettled(
        ports,
        rest.filter((one) => !given.has(one)),
      );
    }
  }
  return { ends, tooLarge };
};

/** Those that the ledger still states as under way, with the same nonce. */
const unsettled = async ({ ledger }: Pick<DeskPorts, 'ledger'>, letters: readonly Outgoing[]): Promise<Outgoing[]> => {
  const now = new Map(
    (
      await readLetters(
        ledger,
        letters.map(({ letter }) => letter.at),
      )
    ).map((one) => [deadKey(one.at), one]),
  );
  return letters.filter(({ letter }) => now.get(deadKey(letter.at))?.tx === letter.tx);
};

/** What is refused as too large is halved, down to one record. */
const append = async (
  ports: DeskPorts,
  partition: number,
  group: readonly Outgoing[],
  tooLarge: Outgoing[],
): Promise<bigint | null> => {
  try {
    return (await ports.append(partition, group.map(recordOf))) + BigInt(group.length);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'REDRIVE_TOO_LARGE') throw error;
    const [only] = group;
    if (group.length === 1 && only !== undefined) {
      tooLarge.push(only);
      return null;
    }
    const middle = Math.ceil(group.length / 2);
    const front = await append(ports, partition, group.slice(0, middle), tooLarge);
    return (await append(ports, partition, group.slice(middle), tooLarge)) ?? front;
  }
};

/** Key and headers as they were, and ours. */
const recordOf = ({ letter, record }: Outgoing): OutgoingRecord => {
  const { at, dead } = letter;
  const nonce = dead.state === 'redriving' ? dead.nonce : '';
  const own = redriveHeaders({ of: placeOf(at), attempt: dead.attempt + 1, nonce });
  return {
    key: record.key,
    value: record.value,
    headers: [...record.headers.filter(([name]) => !isRedriveHeader(name)), ...own],
  };
};

const placeOf = ({ log, partition, offset }: Coordinates) => ({ log, partition, offset });

const groupsOf = (letters: readonly Outgoing[]): Outgoing[][] => {
  const groups: Outgoing[][] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = sizeOf(letter.record);
    const current = groups.at(-1);
    if (current !== undefined && current.length < maxRecords && bytes + size <= maxBytes) {
      current.push(letter);
      bytes += size;
    } else {
      groups.push([letter]);
      bytes = size;
    }
  }
  return groups;
};

export const sizeOf = ({ key, value, headers }: KafkaRecord): number =>
  headers.reduce(
    (sum, [name, header]) => sum + name.length + (header?.length ?? 0),
    recordOverhead + (key?.length ?? 0) + (value?.length ?? 0),
  );
