import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { alh } from '../../proofs/header.ts';
import { bytesOfHex, hexOfBytes } from '../../proofs/hex.ts';
import type { VerifySignature } from '../../proofs/state-signature.ts';
import type { Tx } from './answers.ts';
import type { LedgerClient } from './client.ts';
import { decodeFormat, type LedgerFormat } from './format/format-value.ts';
import { formatKey, logPrefix } from './format/keys.ts';
import { decodeLog, type LogEntry } from './format/log-value.ts';
import { parseKey } from './format/parse-key.ts';
import { proveExtends } from './prove-extends.ts';
import { sha256 } from './sha256.ts';
import { createTrustedState, openTrustedState, type TrustedState, type TrustedStateOptions } from './trusted-state.ts';
import { verifiedReads, type VerifiedReads } from './verified-read.ts';

export type Log = LogEntry & { readonly number: number };

/** An open ledger whose identity is proven, as far as it is trusted. */
export type Ledger = {
  readonly client: LedgerClient;
  readonly format: LedgerFormat;
  /** Hash of transaction 1, 64 hexadecimal digits. */
  readonly genesis: string;
  readonly trusted: TrustedState;
  readonly reads: VerifiedReads;
  /** All logs, oldest first. */
  logs(): Promise<readonly Log[]>;
  /** Proves that the server's present state extends the trusted one, and trusts it. */
  advance(): Promise<void>;
  /**
   * Resolves when calls can be made. True after a lost session: it was opened anew and the ledger proven to extend what
   * was trusted, but whoever wrote must read the marks again.
   */
  ready(): Promise<boolean>;
  close(deadlineMs?: number): Promise<void>;
};

export type Pins = {
  readonly database: string;
  /** Hexadecimal; undefined: the state file must know it. */
  readonly genesis: string | undefined;
  readonly stateFile: string;
  /** Checks the server's signature of its state; left out: the state need not be signed. */
  readonly verifyState?: VerifySignature;
};

const logLimit = 9999;

/**
 * Proves which ledger this is: transaction 1 is exactly `meta/format` and has the pinned hash, and what is there now
 * extends the trusted state. Rejects with LEDGER_NOT_INITIALISED, LEDGER_FOREIGN, GENESIS_MISMATCH, LEDGER_ROLLED_BACK,
 * LEDGER_PROOF_FAILED or LEDGER_TRUST_MISSING; nothing was written then.
 */
export const openLedger = async (
  client: LedgerClient,
  pins: Pins,
  options: TrustedStateOptions = {},
): Promise<Ledger> => {
  const first = await client.txById(1n, 'raw');
  if (first === null) throw notInitialised(pins.database);
  const genesis = alh(first.header, sha256);
  const format = formatOf(first, pins.database);
  const trusted = await trustOf(pins, genesis, format, options);
  const advance = async () => {
    const signed = pins.verifyState && { database: pins.database, verify: pins.verifyState };
    trusted.remember(await proveExtends(client, trusted.current(), { ...(signed && { signed }) }));
  };
  await advance();
  const reads = verifiedReads({ source: client, trusted: () => trusted.current(), advance });
  return {
    client,
    format,
    genesis: hexOfBytes(genesis),
    trusted,
    reads,
    logs: () => readLogs(client, reads),
    advance,
    ready: async () => {
      if (client.state() !== 'lost' && client.state() !== 'reopening') return false;
      await client.reopen();
      await advance();
      return true;
    },
    close: async (deadlineMs) => {
      await trusted.close().finally(() => client.close(deadlineMs));
    },
  };
};

/** The trusted state of the file, or the genesis if that is pinned; both must be of this very ledger. */
const trustOf = async (
  pins: Pins,
  genesis: Uint8Array,
  format: LedgerFormat,
  options: TrustedStateOptions,
): Promise<TrustedState> => {
  const pinned = pins.genesis === undefined ? null : bytesOfHex(pins.genesis, 32);
  if (pinned !== null && !equalBytes(pinned, genesis))
    throw genesisMismatch(pins.database, 'pinned in the configuration');
  const known = await openTrustedState(pins.stateFile, options);
  if (known !== null) {
    const isSame = equalBytes(known.ledger.genesis, genesis) && known.ledger.ledgerId === format.ledgerId;
    if (!isSame) throw genesisMismatch(pins.database, `in the trusted state ${pins.stateFile}`);
    return known;
  }
  if (pinned === null) {
    throw new PipelineError('LEDGER_TRUST_MISSING', `no genesis is pinned and ${pins.stateFile} does not exist`);
  }
  const chain = { id: 1n, alh: genesis, frontier: null };
  return createTrustedState(
    pins.stateFile,
    { ledgerId: format.ledgerId, database: pins.database, genesis, chain },
    options,
  );
};

const formatOf = ({ header, entries }: Tx, database: string): LedgerFormat => {
  const [entry] = entries;
  const key = entry?.storedKey.subarray(1).toString();
  if (header.nentries !== 1 || entries.length !== 1 || key !== formatKey || entry?.storedValue === undefined) {
    throw new PipelineError('LEDGER_FOREIGN', `transaction 1 of database ${database} is not the format of a ledger`);
  }
  return decodeFormat(formatKey, entry.storedValue.subarray(1));
};

const readLogs = async (client: LedgerClient, reads: VerifiedReads): Promise<Log[]> => {
  const entries = await client.scan({ prefix: Buffer.from(logPrefix), limit: logLimit });
  return await Promise.all(
    entries.map(async (entry) => {
      await reads.verifyEntry(entry);
      const key = entry.key.toString();
      const parsed = parseKey(key);
      if (parsed.kind !== 'log') throw new PipelineError('LEDGER_FOREIGN', `key ${key} is not a log`);
      return { ...decodeLog(key, entry.value), number: parsed.log };
    }),
  );
};

/** The newest life of this topic, or null. */
export const newestLog = (logs: readonly Log[], topic: string): Log | null =>
  logs.findLast((log) => log.topic === topic) ?? null;

const notInitialised = (database: string) =>
  new PipelineError('LEDGER_NOT_INITIALISED', `database ${database} has no transaction yet`);

const genesisMismatch = (database: string, where: string) =>
  new PipelineError('GENESIS_MISMATCH', `database ${database} begins with another transaction than the one ${where}`);
