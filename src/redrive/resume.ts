import { valueSha256 } from '../schemas/record-hash.ts';
import type { LedgerLetter } from '../sinks/immudb/letters.ts';
import type { DeskPorts } from './desk-ports.ts';
import { edited, type Edit } from './edit.ts';
import { findOriginal } from './found-letter.ts';
import { ownBytes } from './judged-chunks.ts';
import { sendOutgoing, sizeOf, type Outgoing, type Sent } from './outgoing.ts';
import { untilPassed } from './progress-of-pipeline.ts';
import { lettersUnderWay, putBack } from './put-back.ts';

type Limits = { readonly waitMs: number; readonly signal: AbortSignal };
export type Resumed = { readonly sent: number; readonly putBack: number; readonly ends: Sent['ends'] };

/**
 * Finishes what a killed run left under way. Its records may be on the topic or not: so the pipeline is waited for until
 * it has passed the topic's present end, and only letters that it did not settle by then are sent, with the bytes that
 * the ledger states. Those whose bytes cannot be made again (an edit that is not at hand) are put back.
 */
export const resumeStuck = async (
  ports: DeskPorts,
  order: { readonly edit: Edit; readonly by: string },
  runId: string,
  limits: Limits,
): Promise<Resumed> => {
  const reached = await ports.retry('asking where the topic ends', ports.ends, limits.signal);
  await untilPassed(ports, reached, limits);
  const ends = new Map<number, bigint>();
  let [sent, back] = [0, 0];
  const finish = async ({ outgoing, missing }: Chunk): Promise<void> => {
    const result = await sendOutgoing(ports, outgoing, limits);
    const given = [...missing, ...result.tooLarge.map(({ letter }) => letter)];
    const why = `resuming redrive ${runId}: its record could not be sent again as the ledger states it`;
    await putBack(ports, given, { by: order.by, why }, limits.signal);
    result.ends.forEach((end, partition) => ends.set(partition, end));
    sent += outgoing.length - result.tooLarge.length;
    back += given.length;
  };
  for await (const page of lettersUnderWay(ports, runId)) {
    for await (const chunk of chunksOf(ports, page, order.edit, runId)) await finish(chunk);
  }
  return { sent, putBack: back, ends };
};

/** Letters whose records can be sent again, and those whose cannot. */
type Chunk = { readonly outgoing: readonly Outgoing[]; readonly missing: readonly LedgerLetter[] };

/** What is in memory of the records at a time; one may be larger alone. */
const chunkBytes = 4 * 1024 * 1024;

async function* chunksOf(
  ports: DeskPorts,
  page: readonly LedgerLetter[],
  edit: Edit,
  runId: string,
): AsyncGenerator<Chunk, void> {
  let [outgoing, missing, bytes] = [[] as Outgoing[], [] as LedgerLetter[], 0];
  for (const letter of page) {
    const again = await madeAgain(ports, letter, edit, runId);
    if (again === null) missing.push(letter);
    else outgoing.push(again);
    bytes += again === null ? 0 : sizeOf(again.record);
    if (bytes < chunkBytes) continue;
    yield { outgoing, missing };
    [outgoing, missing, bytes] = [[], [], 0];
  }
  yield { outgoing, missing };
}

const madeAgain = async (
  ports: DeskPorts,
  letter: LedgerLetter,
  edit: Edit,
  runId: string,
): Promise<Outgoing | null> => {
  const topic = ports.logs.find(({ number }) => number === letter.at.log)?.topic ?? '';
  const original = await findOriginal(letter, topic, ports.deadLetterLog.number, ports.read);
  if (!original.ok || letter.dead.state !== 'redriving') return null;
  const value = edited(original.record.value, edit, runId, letter.at);
  if (!value.ok || valueSha256(value.value) !== letter.dead.expectedSha256) return null;
  return { letter, record: ownBytes({ ...original.record, value: value.value }) };
};
