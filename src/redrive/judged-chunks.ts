import type { KafkaRecord } from '../schemas/record.ts';
import type { DeskPorts } from './desk-ports.ts';
import { judgeLetters, leavingReasons, type JudgedLetter, type JudgeOptions, type Leaving } from './judge-letter.ts';
import { sizeOf } from './outgoing.ts';
import { select, type SelectedLetter, type Selection } from './select.ts';

/** What is in memory of a redrive at a time; one record may be larger alone. */
const maxAtOnce = 400;
const chunkBytes = 4 * 1024 * 1024;

/**
 * The letters of a selection, judged, chunk by chunk. Ends behind the chunk with the `limit`th eligible one, which has
 * no eligible letter beyond it. Preview and run are both made of this, so they mean the same letters.
 */
export async function* judgedChunks(
  ports: DeskPorts,
  selection: Selection,
  options: JudgeOptions & { readonly limit: number | null; readonly atOnce?: number },
): AsyncGenerator<JudgedLetter[], void> {
  let room = options.limit ?? Infinity;
  const atOnce = Math.max(1, Math.min(maxAtOnce, options.atOnce ?? maxAtOnce));
  for await (const letters of chunksOf(select(ports, selection, options.snapshot), atOnce)) {
    const judged: JudgedLetter[] = [];
    for (const one of await judgeLetters(ports, letters, options)) {
      if (one.verdict.kind === 'eligible' && room-- === 0) break;
      judged.push(one);
    }
    yield judged;
    if (room < 0) return;
  }
}

async function* chunksOf(
  letters: AsyncIterable<SelectedLetter>,
  atOnce: number,
): AsyncGenerator<SelectedLetter[], void> {
  let chunk: SelectedLetter[] = [];
  let bytes = 0;
  for await (const letter of letters) {
    const own = withOwnBytes(letter);
    chunk.push(own);
    bytes += own.original.ok ? sizeOf(own.original.record) : 0;
    if (chunk.length < atOnce && bytes < chunkBytes) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** A view would keep the whole fetch that it came in. */
const withOwnBytes = (letter: SelectedLetter): SelectedLetter =>
  letter.original.ok ? { ...letter, original: { ok: true, record: ownBytes(letter.original.record) } } : letter;

export const ownBytes = (record: KafkaRecord): KafkaRecord => ({
  ...record,
  key: record.key && Buffer.from(record.key),
  value: record.value && Buffer.from(record.value),
  headers: record.headers.map(([name, value]) => [name, value && Buffer.from(value)] as const),
});

export type LeftCounts = Readonly<Record<Leaving, number>>;

/** Counts judged letters. */
export const tally = () => {
  const left = Object.fromEntries(leavingReasons.map((reason) => [reason, 0])) as Record<Leaving, number>;
  const [eligibleByCode, refusedByCode] = [new Map<string, number>(), new Map<string, number>()];
  let eligible = 0;
  const count = (counts: Map<string, number>, code: string) => counts.set(code, (counts.get(code) ?? 0) + 1);
  return {
    add: ({ letter, verdict }: JudgedLetter): void => {
      if (verdict.kind === 'eligible') {
        eligible += 1;
        count(eligibleByCode, letter.dead.code);
        return;
      }
      left[verdict.kind] += 1;
      if (verdict.kind === 'still-refused') count(refusedByCode, verdict.code);
    },
    left: (): LeftCounts => ({ ...left }),
    eligible: () => eligible,
    eligibleByCode: () => Object.fromEntries(eligibleByCode),
    /** Why the pipeline would refuse them now. */
    refusedByCode: () => Object.fromEntries(refusedByCode),
  };
};
