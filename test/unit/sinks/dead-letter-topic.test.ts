import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PipelineError } from '../../../src/errors.ts';
import type { KafkaRecord } from '../../../src/schemas/record.ts';
import { deadLetterTopic, originalOf, type AppendDeadLetters } from '../../../src/sinks/dead-letter-topic.ts';

type Appended = { readonly partition: number; readonly first: bigint; readonly values: string[] };

/** A log that takes batches up to a size, as a broker does. */
const fakeTopic = (maxBytes = Infinity) => {
  const ends = new Map<number, bigint>();
  const appends: Appended[] = [];
  const append: AppendDeadLetters = (partition, records) => {
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    if (bytes > maxBytes) return Promise.reject(new PipelineError('DEAD_LETTER_TOO_LARGE', 'too large'));
    const first = ends.get(partition) ?? 100n;
    ends.set(partition, first + BigInt(records.length));
    appends.push({ partition, first, values: records.map(({ value }) => String(value)) });
    return Promise.resolve(first);
  };
  return { append, appends };
};

const letter = (partition: number, value: string, headers: KafkaRecord['headers'] = []) => ({
  code: 'JSON_INVALID',
  message: 'not JSON',
  record: {
    partition,
    offset: 1n,
    timestamp: 2n,
    timestampType: 'create' as const,
    key: null,
    value: Buffer.from(value),
    headers,
  },
});

test('places are in the order of the letters, wherever requests are cut', async () => {
  const letters = fc.array(fc.tuple(fc.nat(9), fc.nat(400)), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      letters,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 400, max: 3000 }),
      async (shapes, partitions, maxBytes) => {
        const { append, appends } = fakeTopic(maxBytes);
        const dead = deadLetterTopic({ append, sourceTopic: 'events', partitions, maxRequestBytes: maxBytes * 2 });
        const places = await dead.send(
          shapes.map(([partition, size], i) => letter(partition, `${i}:`.padEnd(size, '.').slice(0, 400))),
        );
        expect(places).toHaveLength(shapes.length);
        const lying = new Map(
          appends.flatMap(({ partition, first, values }) =>
            values.map((value, i) => [`${partition}@${first + BigInt(i)}`, value] as const),
          ),
        );
        places.forEach(({ partition, offset }, i) => {
          expect(partition).toBe(shapes[i]![0] % partitions);
          expect(lying.get(`${partition}@${offset}`)!.startsWith(`${i}:`)).toBe(true);
        });
      },
    ),
  );
});

test('no request is larger than allowed, nor has more letters than kafkajs takes with ease', async () => {
  const { append, appends } = fakeTopic();
  const dead = deadLetterTopic({ append, sourceTopic: 'events', partitions: 1, maxRequestBytes: 1_000_000 });
  await dead.send(Array.from({ length: 1200 }, () => letter(0, 'x'.repeat(1000))));
  expect(Math.max(...appends.map(({ values }) => values.length))).toBe(500);
  expect(Math.max(...appends.map(({ values }) => values.join('').length))).toBeLessThan(1_000_000);
});

test('one letter that is too large is told, not cut', async () => {
  const dead = deadLetterTopic({
    append: fakeTopic(10).append,
    sourceTopic: 'events',
    partitions: 1,
    maxRequestBytes: 1000,
  });
  await expect(dead.send([letter(0, 'small'), letter(0, 'x'.repeat(11))])).rejects.toMatchObject({
    code: 'DEAD_LETTER_TOO_LARGE',
  });
});

test('any other failure is not tried again', async () => {
  let calls = 0;
  const append = () => {
    calls += 1;
    return Promise.reject(new PipelineError('KAFKA_UNAVAILABLE', 'no'));
  };
  const dead = deadLetterTopic({ append, sourceTopic: 'events', partitions: 1, maxRequestBytes: 1000 });
  await expect(dead.send([letter(0, 'a'), letter(0, 'b')])).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
  expect(calls).toBe(1);
});

test('headers of the record with our prefix are renamed, to names of the same length', async () => {
  let names: string[] = [];
  const append: AppendDeadLetters = (_, records) => {
    names = records.flatMap(({ headers }) => headers.map(([name]) => name));
    return Promise.resolve(0n);
  };
  const dead = deadLetterTopic({ append, sourceTopic: 'events', partitions: 1, maxRequestBytes: 1000 });
  await dead.send([
    letter(0, 'x', [
      ['__immutrail.errors.code', null],
      ['traceparent', null],
    ]),
  ]);
  expect(names.slice(0, 2)).toEqual(['_~immutrail.errors.code', 'traceparent']);
  expect(names.slice(2).every((name) => name.startsWith('__immutrail.errors.'))).toBe(true);
});

test('a letter gives the record back as it was, forged headers under their own names', async () => {
  const headers: KafkaRecord['headers'] = [
    ['__immutrail.errors.code', Buffer.from('FORGED')],
    ['trace', null],
  ];
  let sent: { readonly headers: KafkaRecord['headers']; readonly value: Buffer | null } | undefined;
  const append: AppendDeadLetters = (_, records) => {
    sent = records[0];
    return Promise.resolve(7n);
  };
  const { record } = letter(3, 'bytes', headers);
  const letters = deadLetterTopic({ append, sourceTopic: 'audit.events', partitions: 2, maxRequestBytes: 10_000 });
  await letters.send([{ record, code: 'JSON_INVALID', message: 'not JSON', attempt: 2 }]);
  const copy: KafkaRecord = { ...record, partition: 1, offset: 7n, timestamp: 99n, headers: sent?.headers ?? [] };
  expect(originalOf(copy)).toEqual({ topic: 'audit.events', record });
  expect(copy.headers).toContainEqual(['__immutrail.errors.attempts', Buffer.from('2')]);
  expect(originalOf({ ...copy, headers })).toBeNull();
});
