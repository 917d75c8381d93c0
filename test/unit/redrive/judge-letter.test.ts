import { describe, expect, test } from '@jest/globals';
import { judgeLetters, type JudgeOptions } from '../../../src/redrive/judge-letter.ts';
import type { SelectedLetter } from '../../../src/redrive/select.ts';
import { payloadRule } from '../../../src/schemas/payload-rule.ts';
import { plainDecoder, registryDecoder, type Decoder } from '../../../src/schemas/registry/decoder.ts';
import { retrying } from '../../../src/sinks/with-retry.ts';
import { testEvent } from '../../support/load.ts';

const judge = payloadRule('enforce');
const signal = { signal_type: 'alert', signal_name: 'Load', namespace: '', fingerprint: '1' };
const event = (overrides: object = {}) => testEvent({ event_data: signal, ...overrides });
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

const letterOf = (value: Buffer, dead: Partial<SelectedLetter['dead']> = {}, seenTx = 9n): SelectedLetter => ({
  ...{ at: { log: 1, partition: 0, offset: 4n }, tx: 9n, seenTx, topic: 'audit.events' },
  dead: {
    ...{ state: 'open', code: 'OUTCOME_INVALID', message: '', sha256: '', attempt: 1 },
    ...{ dlq: { log: 2, partition: 0, offset: 0n } },
    ...(dead as object),
  },
  original: {
    ok: true,
    record: { ...{ partition: 0, offset: 4n, timestamp: 0n, timestampType: 'create' }, key: null, headers: [], value },
  },
});

const asked: JudgeOptions = { edit: {}, runId: '', evenRefused: false, evenStored: false, snapshot: 20n };

/** `stored`: which transaction has the event of an id. */
const judged = async (
  letters: readonly SelectedLetter[],
  options: Partial<JudgeOptions> = {},
  { decoder = plainDecoder(judge), stored = {} }: { decoder?: Decoder; stored?: Record<string, bigint> } = {},
) => {
  const find = (keys: readonly Buffer[]) =>
    keys.flatMap((key) => {
      const tx = stored[key.toString().slice('event/'.length)];
      return tx === undefined ? [] : [{ key, value: Buffer.alloc(0), tx }];
    });
  const ledger = {
    client: { getAll: (keys: readonly Buffer[]) => Promise.resolve(find(keys)) },
    reads: { verifyEntry: () => Promise.resolve() },
  };
  const ports = { ledger, decoder, retry: retrying({ maxElapsedMs: 0 }), maxAttempts: 3 };
  const answers = await judgeLetters(ports as unknown as Parameters<typeof judgeLetters>[0], letters, {
    ...asked,
    ...options,
  });
  return answers.map(({ verdict }) => verdict);
};

describe('a letter is judged as the pipeline would judge its record', () => {
  test('a payload that the catalogue refuses is refused still, unless somebody wants it all the same', async () => {
    const wrong = letterOf(bytes(event({ event_data: { signal_type: 7 } })));
    expect(await judged([wrong])).toMatchObject([{ kind: 'still-refused', code: 'PAYLOAD_INVALID' }]);
    expect(await judged([wrong], { evenRefused: true })).toMatchObject([{ kind: 'eligible' }]);
    expect(await judged([wrong], {}, { decoder: plainDecoder(payloadRule('off')) })).toMatchObject([
      { kind: 'eligible' },
    ]);
    expect(await judged([wrong], { edit: { set: { event_data: signal } } })).toMatchObject([{ kind: 'eligible' }]);
  });

  test('a record in the frame of a schema is asked of the registry first', async () => {
    const framed = Buffer.concat([Buffer.of(0, 0, 0, 0, 7), bytes(event())]);
    const fetched: number[] = [];
    const registry = {
      fetch: (id: number) => Promise.resolve({ kind: fetched.push(id) > 0 ? 'json' : 'unknown' } as const),
    };
    const verdicts = await judged([letterOf(framed)], {}, { decoder: registryDecoder({ registry, judge }) });
    expect(verdicts).toMatchObject([{ kind: 'eligible' }]);
    expect(fetched).toEqual([7]);
    expect(await judged([letterOf(framed)])).toMatchObject([{ kind: 'still-refused', code: 'ENCODING_UNKNOWN' }]);
  });

  test('what the run itself brought into the ledger since it began counts for no letter of it', async () => {
    const known = event();
    const stored = (tx: bigint) => ({ stored: { [String(known['event_id'])]: tx } });
    const letter = letterOf(bytes(known));
    expect(await judged([letter], {}, stored(20n))).toMatchObject([{ kind: 'in-ledger' }]);
    expect(await judged([letter], { evenStored: true }, stored(20n))).toMatchObject([{ kind: 'eligible' }]);
    expect(await judged([letter], {}, stored(21n))).toMatchObject([{ kind: 'eligible' }]);
  });

  test('one that cannot be sent is left for the reason that comes first, and the others are not', async () => {
    const value = bytes(event());
    const letters: SelectedLetter[] = [
      letterOf(value, { state: 'discarded', by: 'a', why: 'b' }),
      letterOf(value, {}, 8n),
      { ...letterOf(value), original: { ok: false, why: 'it is gone' } },
      letterOf(value, { attempt: 3 }),
      letterOf(value),
    ];
    const kinds = (await judged(letters)).map(({ kind }) => kind);
    expect(kinds).toEqual(['changed', 'changed', 'unreadable', 'over-limit', 'eligible']);
  });
});
