import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReceiptOptions, Verified, VerifyOptions } from '../cli/receipts.ts';
import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import type { SignedCheckpoint } from '../proofs/checkpoint.ts';
import { formatNote } from '../proofs/note.ts';
import { ProofError } from '../proofs/proof-error.ts';
import { formatReceipt, parseReceipt, verifyReceipt, type Trust } from '../proofs/receipt.ts';
import { receiptOf } from '../queries/receipt.ts';
import { verifyEd25519 } from '../sinks/checkpoints/ed25519.ts';
import { publicKeyOf } from '../sinks/checkpoints/key-file.ts';
import { newestCheckpoint } from '../sinks/checkpoints/newest.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';
import { pinnedStateKey } from '../sinks/immudb/state-key.ts';
import { readEntry } from './acts.ts';
import { acceptedKeys, checkpointSources, requireHolds, withCheckpointTopic } from './checkpoints.ts';
import { connectLedger } from './connect.ts';

/** How often a checkpoint is looked for while one is waited for. */
const lookEveryMs = 500;

/** The proof that this event is in the ledger, to be verified by anybody without the ledger. */
export const receipt = async (config: Config, eventId: string, { waitMs }: ReceiptOptions): Promise<string> => {
  const keys = acceptedKeys(config);
  if (keys.length === 0) throw new PipelineError('CHECKPOINT_KEYS_MISSING', 'a receipt needs a checkpoint');
  const ledger = await connectLedger(config);
  try {
    const entry = await readEntry(ledger, config, eventId);
    const { checkpoint, note, signedBy } = await checkpointFrom(config, ledger, entry.tx, waitMs);
    await requireHolds(ledger, checkpoint.tx);
    const anchor = { note: formatNote(note), tx: checkpoint.tx, keys: signedBy };
    const made = formatReceipt(await receiptOf(ledger.client, entry, anchor));
    // What is handed out was verified as its receiver will verify it.
    orVerifyFailed(() => verifyReceipt(parseReceipt(made, sha256), { keys, hash: sha256, verify: verifyEd25519 }));
    return made;
  } finally {
    await ledger.close();
  }
};

/** The newest checkpoint, once it has come to this transaction. Rejects with CHECKPOINT_PENDING after `waitMs`. */
const checkpointFrom = (config: Config, ledger: Ledger, tx: bigint, waitMs: number): Promise<SignedCheckpoint> =>
  withCheckpointTopic(config, async (topic) => {
    const wanted = { keys: acceptedKeys(config), ledgerId: ledger.format.ledgerId };
    const deadline = performance.now() + waitMs;
    for (;;) {
      const newest = await newestCheckpoint(checkpointSources(config, topic), wanted);
      if (newest !== null && newest.checkpoint.tx.id >= tx) return newest;
      if (performance.now() >= deadline) throw pending(tx, newest);
      await sleep(lookEveryMs);
    }
  });

const pending = (tx: bigint, newest: SignedCheckpoint | null): PipelineError => {
  const stands = newest === null ? 'there is none' : `the newest is of ${newest.checkpoint.tx.id.toString()}`;
  return new PipelineError('CHECKPOINT_PENDING', `transaction ${tx.toString()} needs a checkpoint, ${stands}`);
};

/** Larger than any receipt: one event has at most some megabytes. */
const maxReceiptBytes = 64 * 1024 * 1024;

/** What this file proves. Needs no network and no configuration. Rejects with VERIFY_FAILED. */
export const verify = (file: string, options: VerifyOptions): Promise<Verified> => {
  const trust = trustOf(options);
  const text = readText(file);
  const finding = orVerifyFailed(() => verifyReceipt(parseReceipt(text, sha256), trust));
  return Promise.resolve({ kind: 'receipt', ...finding });
};

const trustOf = ({ keys, ledgerKeyFile }: VerifyOptions): Trust => ({
  keys: keys.map(publicKeyOf),
  hash: sha256,
  verify: verifyEd25519,
  ...(ledgerKeyFile !== undefined && { verifyState: stateKeyOf(ledgerKeyFile) }),
});

const stateKeyOf = (file: string) => {
  const pem = readText(file);
  try {
    return pinnedStateKey(pem);
  } catch (cause) {
    throw new PipelineError('KEY_INVALID', `${file} holds no EC P-256 public key of immudb`, { cause });
  }
};

const readText = (file: string): string => {
  try {
    const { size } = statSync(file);
    if (size <= maxReceiptBytes) return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw new PipelineError('FILE_UNREADABLE', `reading ${file}`, { cause });
  }
  throw new PipelineError('FILE_UNREADABLE', `${file} has more than ${maxReceiptBytes} bytes`);
};

const orVerifyFailed = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new PipelineError('VERIFY_FAILED', error.message, { cause: error });
  }
};
