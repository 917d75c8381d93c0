import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { emptyChain, followHeader } from '../../proofs/chain.ts';
import type { Checkpoint } from '../../proofs/checkpoint.ts';
import { alh } from '../../proofs/header.ts';
import { bytesOfHex, hexOfBytes } from '../../proofs/hex.ts';
import type { VerifySignature } from '../../proofs/state-signature.ts';
import type { Tx } from './answers.ts';
import type { LedgerClient } from './client.ts';
import { decodeFormat, type LedgerFormat } from './format/format-value.ts';
import { walk } from './follow.ts';
import { formatKey, logPrefix } from './format/keys.ts';
import { decodeLog, type LogEntry } from './format/log-value.ts';
import { parseKey } from './format/parse-key.ts';
import { orProofFailed } from './proof-source.ts';
import { proveExtends, type ProvenState } from './prove-extends.ts';
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
  readonly trustedBy: TrustedBy;
  readonly reads: VerifiedReads;
  /** All logs, oldest first. */
  logs(): Promise<readonly Log[]>;
  /** Proves that the server's present state extends the trusted one, and trusts it: what it resolves with. */
  advance(): Promise<ProvenState>;
  /**
   * Resolves when calls can be made. True after a lost session: it was opened anew and the ledger proven to extend what
   * was trusted, but whoever wrote must read the marks again.
   */
  ready(): Promise<boolean>;
  close(deadlineMs?: number): Promise<void>;
};

/** What the trust in a ledger began with at this opening. */
export type TrustedBy = 'state file' | 'checkpoint' | 'genesis' | 'first use';

export type Pins = {
  readonly database: string;
  /** Hexadecimal; undefined: the state file or a checkpoint must know it. */
  readonly genesis: string | undefined;
  readonly stateFile: string;
  /** Checks the server's signature of its state; left out: the state need not be signed. */
  readonly verifyState?: VerifySignature;
  /** The newest checkpoint of this ledger that is believed. Asked only without a state file; left out: there is none. */
  readonly newestCheckpoint?: (ledgerId: string) => Promise<Checkpoint | null>;
  /** With nothing to check the ledger against, believe what it says of itself. Default false. */
  readonly trustOnFirstUse?: boolean;
};

const logLimit = 9999;

/**
 * Proves which ledger this is: transaction 1 is exactly `meta/format` and has the pinned hash, and what is there now
 * extends the trusted state: that of the file, else the newest checkpoint, else the genesis, from which every header is
 * followed. Rejects with LEDGER_NOT_INITIALISED, LEDGER_FOREIGN, GENESIS_MISMATCH, LEDGER_ROLLED_BACK,
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
  const { trusted, trustedBy } = await trustOf(pins, first, format, options);
  if (trustedBy === 'genesis' || trustedBy === 'first use') await walk({ client, trusted });
  const signed = pins.verifyState && { database: pins.database, verify: pins.verifyState };
  let anchor = trusted.current();
  const advance = async () => {
    const proven = await proveExtends(client, trusted.current(), { ...(signed && { signed }), anchor });
    const chain = { id: proven.id, alh: proven.alh, frontier: proven.frontier };
    trusted.remember(chain);
    if (chain.id > anchor.id) anchor = chain;
    return proven;
  };
  await advance();
  const reads = verifiedReads({ source: client, trusted: () => trusted.current(), advance });
  return {
    client,
    format,
    genesis: hexOfBytes(genesis),
    trusted,
    trustedBy,
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

/** The trusted state of the file, of the newest checkpoint or of the genesis; each must be of this very ledger. */
const trustOf = async (
  pins: Pins,
  first: Tx,
  format: LedgerFormat,
  options: TrustedStateOptions,
): Promise<{ trusted: TrustedState; trustedBy: TrustedBy }> => {
  const { ledgerId } = format;
  const genesis = alh(first.header, sha256);
  const pinned = pins.genesis === undefined ? null : bytesOfHex(pins.genesis, 32);
  if (pinned !== null && !equalBytes(pinned, genesis))
    throw genesisMismatch(pins.database, 'pinned in the configuration');
  const known = await openTrustedState(pins.stateFile, options);
  if (known !== null) {
    const isSame = equalBytes(known.ledger.genesis, genesis) && known.ledger.ledgerId === ledgerId;
    if (!isSame) throw genesisMismatch(pins.database, `in the trusted state ${pins.stateFile}`);
    return { trusted: known, trustedBy: 'state file' };
  }
  const checkpoint = (await pins.newestCheckpoint?.(ledgerId)) ?? null;
  if (checkpoint !== null && !equalBytes(checkpoint.genesis, genesis))
    throw genesisMismatch(pins.database, `that checkpoint ${checkpoint.sequence.toString()} names`);
  const trustedBy = checkpoint !== null ? 'checkpoint' : pinned !== null ? 'genesis' : 'first use';
  if (trustedBy === 'first use' && pins.trustOnFirstUse !== true) {
    const message = `${pins.stateFile} does not exist, no checkpoint is believed and no genesis is pinned`;
    throw new PipelineError('LEDGER_TRUST_MISSING', message);
  }
  const chain =
    checkpoint === null
      ? orProofFailed('reading transaction 1', () => followHeader(emptyChain(sha256), first.header, sha256))
      : { ...checkpoint.tx, frontier: null };
  const ledger = { ledgerId, database: pins.database, genesis, chain };
  return { trusted: await createTrustedState(pins.stateFile, ledger, options), trustedBy };
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
