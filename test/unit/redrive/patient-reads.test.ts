import { expect, test } from '@jest/globals';
import { PipelineError, type ErrorCode } from '../../../src/errors.ts';
import { patientReads } from '../../../src/redrive/patient-reads.ts';
import type { Ledger } from '../../../src/sinks/immudb/ledger.ts';
import { retrying } from '../../../src/sinks/with-retry.ts';

/** A ledger whose reads fail so often first; `said` is what was asked of it, in order. */
const failing = (code: ErrorCode, times: number) => {
  const said: string[] = [];
  let left = times;
  const answer = (name: string) => () => {
    said.push(name);
    if (left > 0) {
      left -= 1;
      return Promise.reject(new PipelineError(code, name));
    }
    return Promise.resolve([]);
  };
  const ledger = {
    ready: () => Promise.resolve(said.push('ready') > 0),
    client: { scan: answer('scan'), set: answer('set') },
    reads: { verifyEntry: answer('verify') },
  } as unknown as Ledger;
  return { ledger: patientReads(ledger, retrying({ maxElapsedMs: 1000, initialMs: 1 })), said };
};

test('a read that timed out is made again, on a session that is made ready first', async () => {
  const { ledger, said } = failing('LEDGER_TIMEOUT', 2);
  expect(await ledger.client.scan({ prefix: Buffer.alloc(0), limit: 1 })).toEqual([]);
  expect(said).toEqual(['ready', 'scan', 'ready', 'scan', 'ready', 'scan']);
});

test('a proof that failed is not asked for again, and a write is sent once', async () => {
  const entry = { key: Buffer.of(1), value: Buffer.alloc(0), metadata: null, tx: 1n };
  const proofs = failing('LEDGER_PROOF_FAILED', 1);
  await expect(proofs.ledger.reads.verifyEntry(entry)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
  const writes = failing('LEDGER_TIMEOUT', 1);
  await expect(writes.ledger.client.set(Buffer.alloc(0))).rejects.toMatchObject({ code: 'LEDGER_TIMEOUT' });
  expect(writes.said).toEqual(['set']);
});
