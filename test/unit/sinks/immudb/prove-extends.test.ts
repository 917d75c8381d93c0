import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { chainToJson, emptyChain, followHeader } from '../../../../src/proofs/chain.ts';
import type { LedgerState } from '../../../../src/sinks/immudb/answers.ts';
import { proveExtends } from '../../../../src/sinks/immudb/prove-extends.ts';
import type { ProofSource } from '../../../../src/sinks/immudb/proof-source.ts';
import { sha256 } from '../../../../src/sinks/immudb/sha256.ts';
import { pinnedStateKey } from '../../../../src/sinks/immudb/state-key.ts';
import { referenceSource } from '../../../fakes/reference-source.ts';
import { int, referenceLedger, type ReferenceLedger } from '../../../support/reference-ledger.ts';

const entry = (text: string) => ({ key: Buffer.from(`k/${text}`), value: Buffer.from(text), metadata: null });
const ledgerOfSize = (size: number, forgedAt = size) =>
  referenceLedger(Array.from({ length: size }, (_, i) => [entry(i < forgedAt ? `${i}` : `${i} forged`)]));
const hashOf = (ledger: ReferenceLedger, id: number) => ({ id: BigInt(id), alh: ledger.tx(id).alh, frontier: null });
const honest = ledgerOfSize(60);
const followed = (id: number) =>
  honest.txs.slice(0, id).reduce((chain, { header }) => followHeader(chain, header, sha256), emptyChain(sha256));
const sourceOf = (ledger: ReferenceLedger) => referenceSource(() => ledger).source;

describe('the state of now', () => {
  test.each([1, 2, 59, 60])('is proven to extend transaction %i', async (id) => {
    const proven = await proveExtends(sourceOf(honest), hashOf(honest, id));
    expect(proven.id).toBe(60n);
    expect(Buffer.from(proven.alh).equals(honest.tx(60).alh)).toBe(true);
    if (id < 60) expect(chainToJson(proven)).toEqual(chainToJson(followed(60)));
  });

  // The table of rollbacks and forks, as a client that remembers transaction 60 sees them.
  test.each([
    ['an older copy', ledgerOfSize(40), 'LEDGER_ROLLED_BACK'],
    ['an older copy and 19 others', ledgerOfSize(59, 40), 'LEDGER_ROLLED_BACK'],
    ['an older copy and 20 others', ledgerOfSize(60, 40), 'LEDGER_PROOF_FAILED'],
    ['an older copy and 30 others', ledgerOfSize(70, 40), 'LEDGER_PROOF_FAILED'],
    ['an empty database', ledgerOfSize(0), 'LEDGER_ROLLED_BACK'],
    ['another database', ledgerOfSize(70, 0), 'LEDGER_PROOF_FAILED'],
  ])('of %s is refused', async (_, ledger, code) => {
    await expect(proveExtends(sourceOf(ledger), hashOf(honest, 60))).rejects.toMatchObject({ code });
  });

  test('is proven from an anchor when the chain was followed to it already', async () => {
    const { source, calls } = referenceSource(() => honest);
    const proven = await proveExtends(source, followed(60), { anchor: hashOf(honest, 40) });
    expect(chainToJson(proven)).toEqual(chainToJson(followed(60)));
    expect(calls).toEqual({ currentState: 1, verifiableTxById: 1 });
  });

  test('is refused when it does not extend the anchor, although its hash is the one that was followed', async () => {
    const source: ProofSource = {
      currentState: sourceOf(honest).currentState,
      verifiableTxById: sourceOf(ledgerOfSize(60, 40)).verifiableTxById,
    };
    const proving = proveExtends(source, followed(60), { anchor: hashOf(honest, 40) });
    await expect(proving).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
  });

  test('is refused when its hash is not the one of its transaction', async () => {
    const source = sourceOf(honest);
    const lying: ProofSource = {
      ...source,
      currentState: async () => ({ ...(await source.currentState()), alh: Buffer.alloc(32) }),
    };
    for (const id of [20, 60])
      await expect(proveExtends(lying, hashOf(honest, id))).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
  });

  test('is refused when it disappears between two calls', async () => {
    const source: ProofSource = { ...sourceOf(honest), verifiableTxById: () => Promise.resolve(null) };
    await expect(proveExtends(source, hashOf(honest, 20))).rejects.toMatchObject({ code: 'LEDGER_ROLLED_BACK' });
  });
});

describe('a signed state', () => {
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { privateKey, publicKey } = pair();
  const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
  const signedBytes = ({ database, txId, alh }: LedgerState) =>
    Buffer.concat([int(database.length, 4), Buffer.from(database), int(txId, 8), alh]);
  const signingSource = (change: (state: LedgerState) => LedgerState = (it) => it): ProofSource => {
    const source = sourceOf(honest);
    const currentState = async () => {
      const state = await source.currentState();
      const signature = sign('sha256', signedBytes(state), privateKey);
      return change({ ...state, signature: { publicKey: Buffer.alloc(65), signature } });
    };
    return { ...source, currentState };
  };
  const signed = { database: 'ledger', verify: pinnedStateKey(pem(publicKey)) };

  test('is taken with the pinned key', async () => {
    expect((await proveExtends(signingSource(), hashOf(honest, 12), { signed })).id).toBe(60n);
  });

  test.each([
    ['without a signature', signingSource((state) => ({ ...state, signature: null })), signed],
    ['with another key', signingSource(), { ...signed, verify: pinnedStateKey(pem(pair().publicKey)) }],
    ['of another database', signingSource(), { ...signed, database: 'other' }],
    [
      'of another transaction',
      signingSource((state) => ({ ...state, txId: 59n, alh: Buffer.from(honest.tx(59).alh) })),
      signed,
    ],
  ])('is refused %s', async (_, source, expected) => {
    const proving = proveExtends(source, hashOf(honest, 12), { signed: expected });
    await expect(proving).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
  });

  test('needs a P-256 key', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
    expect(() => pinnedStateKey(pem(other))).toThrow('P-256');
    expect(() => pinnedStateKey(pem(generateKeyPairSync('ed25519').publicKey))).toThrow('P-256');
  });
});
