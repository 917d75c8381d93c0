import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { PipelineError } from '../../errors.ts';
import { chainFromJson, chainToJson, type ChainState } from '../../proofs/chain.ts';
import { bytesOfHex, hexOfBytes } from '../../proofs/hex.ts';
import { isFileError, writeDurably } from '../durable-file.ts';
import { sha256 } from './sha256.ts';

/**
 * What is trusted of one ledger, kept outside immudb and its disk, as whoever can change the ledger must not be able
 * to change this: its identity, the hash of its first transaction, and how far it was followed or proven.
 */
export type TrustedLedger = {
  readonly ledgerId: string;
  readonly database: string;
  /** Accumulated hash of transaction 1. */
  readonly genesis: Uint8Array;
  readonly chain: ChainState;
};

const maxFileBytes = 64 * 1024;

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const fields = z.strictObject({
  v: z.literal(1),
  ledger_id: z.string().min(1),
  database: z.string().min(1),
  genesis: hex32,
  tx: z.string(),
  alh: hex32,
  frontier: z.array(hex32).max(64).optional(),
  /** SHA-256 of the other fields, so that a damaged disk is not taken for a forged ledger. No defence against people. */
  sum: hex32,
});

/** The ledger as the file has it, null if there is none. Rejects with TRUSTED_STATE_DAMAGED or TRUSTED_STATE_UNAVAILABLE. */
export const readTrustedLedger = async (path: string): Promise<TrustedLedger | null> => {
  const text = await readText(path);
  return text === null ? null : decode(text, path);
};

const readText = async (path: string): Promise<string | null> => {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw damaged(path, `it has ${size} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    if (isFileError(error, 'ENOENT')) return null;
    throw unavailable(`reading the trusted state ${path}`, error);
  }
};

const decode = (text: string, path: string): TrustedLedger => {
  try {
    const { ledger_id: ledgerId, database, genesis, sum, tx, alh, frontier } = fields.parse(JSON.parse(text));
    const chain = chainFromJson({ tx, alh, ...(frontier === undefined ? {} : { frontier }) });
    const ledger = { ledgerId, database, genesis: bytesOfHex(genesis, 32), chain };
    if (sumOf(ledger) !== sum) throw new Error('its checksum is wrong');
    return ledger;
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  }
};

const stated = ({ ledgerId, database, genesis, chain }: TrustedLedger) => ({
  v: 1,
  ledger_id: ledgerId,
  database,
  genesis: hexOfBytes(genesis),
  ...chainToJson(chain),
});

const sumOf = (ledger: TrustedLedger): string => hexOfBytes(sha256(Buffer.from(JSON.stringify(stated(ledger)))));

/** Resolves when the file is this ledger, also after a power cut. Readable by its owner alone. Rejects with TRUSTED_STATE_UNAVAILABLE. */
export const writeTrustedLedger = async (path: string, ledger: TrustedLedger): Promise<void> => {
  const text = `${JSON.stringify({ ...stated(ledger), sum: sumOf(ledger) })}\n`;
  try {
    await writeDurably(path, text, 0o600);
  } catch (error) {
    throw unavailable(`writing the trusted state ${path}`, error);
  }
};

const damaged = (path: string, what: string, cause?: unknown): PipelineError =>
  new PipelineError('TRUSTED_STATE_DAMAGED', `the trusted state ${path} cannot be understood: ${what}`, { cause });

const unavailable = (doing: string, cause: unknown): PipelineError =>
  new PipelineError('TRUSTED_STATE_UNAVAILABLE', `${doing}: ${String(cause)}`, { cause });
