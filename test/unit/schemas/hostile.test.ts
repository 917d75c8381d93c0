import { expect, test } from '@jest/globals';
import { decodeMutated } from '../../support/hostile-decoding.ts';

// test/faults/decode.test.ts does the same a million times.
test('mutated records of every encoding are accepted or rejected with a code, and never throw', async () => {
  const { accepted, codes } = await decodeMutated(10_000, 1);
  expect(accepted).toBeGreaterThan(0);
  expect([...codes.keys()]).toEqual(
    expect.arrayContaining(['JSON_INVALID', 'AVRO_INVALID', 'SCHEMA_UNKNOWN', 'KEY_DUPLICATED', 'UTF8_INVALID']),
  );
}, 60_000);
