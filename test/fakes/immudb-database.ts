import { status } from '@grpc/grpc-js';
import type * as wire from '../../src/sinks/immudb/proto/messages.ts';
import type { Message } from '../../src/sinks/immudb/proto/wire.ts';
import { dualProofOf, newChain, pathOf, statedEntry, type ChainEntry, type ChainTx } from './immudb-chain.ts';
import { bare, illegal, refusal } from './immudb-refusal.ts';

type On<M> = M extends Message<infer Out, never> ? Out : never;
type SetCall = On<typeof wire.setRequest>;
type ScanCall = On<typeof wire.scanRequest>;
type Spec = On<typeof wire.txRequest>['entriesSpec'];

export type DatabaseLimits = {
  readonly maxTxEntries: number;
  /** Counts the one-byte prefix. */
  readonly maxKeyLen: number;
  readonly maxTransactions: number;
};

const maxResults = 2500;

type Revision = { readonly tx: bigint; readonly entry: ChainEntry };

/** One database with immudb's semantics, limits and error messages, in memory. */
export const newDatabase = (name: string, limits: DatabaseLimits) => {
  const chain = newChain(limits.maxTransactions);
  /** Keys as latin1, which sorts as the bytes do. */
  const index = new Map<string, Revision[]>();

  const set = (call: SetCall): ChainTx => {
    requireEntries(call, limits);
    requirePreconditions(call, limits);
    for (const each of call.preconditions) requireHolds(each);
    return commit(call.entries.map(({ key, value, metadata }) => ({ key, value, metadata: metadataOf(metadata) })));
  };

  const commit = (entries: readonly ChainEntry[]): ChainTx => {
    const copies = entries.map((each) => ({ ...each, key: Buffer.from(each.key), value: copied(each.value) }));
    const tx = chain.append(copies);
    for (const entry of copies) {
      if (entry.metadata?.nonIndexable === true) continue;
      const name = entry.key.toString('latin1');
      index.set(name, [...(index.get(name) ?? []), { tx: tx.header.id, entry }]);
    }
    return tx;
  };

  const deleteKeys = (keys: readonly Buffer[]): ChainTx => {
    for (const key of keys) visible(key);
    return commit(keys.map((key) => ({ key, value: null, metadata: { deleted: true } })));
  };

  const revisionsOf = (key: Buffer): readonly Revision[] => index.get(key.toString('latin1')) ?? [];

  const requireHolds = (condition: SetCall['preconditions'][number]): void => {
    const { keyMustExist, keyMustNotExist, keyNotModifiedAfterTx } = condition;
    if (keyMustExist && !isVisible(keyMustExist.key)) throw unmet('KeyMustExist');
    if (keyMustNotExist && isVisible(keyMustNotExist.key)) throw unmet('KeyMustNotExist');
    if (keyNotModifiedAfterTx === null) return;
    const last = revisionsOf(keyNotModifiedAfterTx.key).at(-1);
    if ((last?.tx ?? 0n) > keyNotModifiedAfterTx.txId) throw unmet('KeyNotModifiedAfterTxID');
  };

  const visible = (key: Buffer): Revision => {
    const last = revisionsOf(key).at(-1);
    if (last === undefined || last.entry.value === null) throw bare('tbtree: key not found');
    if (isExpired(last.entry)) throw bare('tbtree: key not found: expired entry');
    return last;
  };

  const isVisible = (key: Buffer): boolean => {
    const last = revisionsOf(key).at(-1);
    if (last === undefined) return false;
    return last.entry.value !== null && !isExpired(last.entry);
  };

  const get = (key: Buffer, atTx: bigint) => {
    if (key.length === 0) throw bare('illegal arguments: empty key');
    const revision = atTx === 0n ? visible(key) : revisionsOf(key).find(({ tx }) => tx === atTx);
    if (revision === undefined) throw bare('tbtree: key not found');
    return stated(revision);
  };

  /** Reads at a transaction leave the revision out, as they do without the index. */
  const stated = ({ tx, entry }: Revision) => ({
    tx,
    key: entry.key,
    value: entry.value ?? Buffer.alloc(0),
    metadata: metadataOnWire(entry.metadata),
    revision: BigInt(revisionsOf(entry.key).findIndex((each) => each.tx === tx) + 1),
  });

  const scan = (call: ScanCall) => {
    const limit = requireLimit(call.limit);
    const names = [...index.keys()].filter((each) => isInRange(each, call) && isVisible(bytesOf(each))).sort();
    if (call.desc) names.reverse();
    return names.slice(0, limit).map((each) => stated(visible(bytesOf(each))));
  };

  const history = ({ key, offset, limit, desc }: On<typeof wire.historyRequest>) => {
    const revisions = [...revisionsOf(key)];
    if (revisions.length === 0) throw bare('tbtree: key not found');
    if (desc) revisions.reverse();
    return revisions
      .slice(Number(offset))
      .slice(0, requireLimit(BigInt(limit)))
      .map(stated);
  };

  const known = (id: bigint): ChainTx => {
    if (id === 0n) throw illegal('illegal arguments');
    const tx = chain.tx(id);
    if (tx === undefined) throw bare('tx not found');
    return tx;
  };

  const requireKnownSince = (id: bigint): void => {
    if (id > BigInt(chain.txs.length))
      throw bare('illegal arguments: SinceTx must not be greater than the current transaction ID');
  };

  const txScan = (initial: bigint, limit: number, spec: Spec) => {
    if (initial === 0n) throw illegal('illegal arguments');
    const count = requireLimit(BigInt(limit));
    return chain.txs.slice(Number(initial) - 1, Number(initial) - 1 + count).map((tx) => txOnWire(tx, spec));
  };

  const proven = (id: bigint, since: bigint, spec: Spec) => {
    const last = chain.txs.length;
    if (since > BigInt(last))
      throw bare(`illegal state: latest txID=${last} is lower than specified as initial tx=${since.toString()}`);
    const tx = known(id);
    const other = since === 0n ? id : since;
    const [source, target] = id < other ? [id, other] : [other, id];
    return { tx: txOnWire(tx, spec), dualProof: dualProofOf(chain, Number(source), Number(target)), target };
  };

  const verifiableGet = (key: Buffer, atTx: bigint, since: bigint) => {
    if (since > BigInt(chain.txs.length)) throw illegal('illegal state');
    const entry = get(key, atTx);
    const tx = known(entry.tx);
    const leaf = tx.entries.findIndex((each) => each.key.equals(key));
    const inclusionProof = { leaf, width: tx.entries.length, terms: pathOf(leaf, tx.digests) };
    return { entry, inclusionProof, ...proven(entry.tx, since, null) };
  };

  const getAll = (keys: readonly Buffer[]) => keys.filter(isVisible).map((key) => stated(visible(key)));

  return {
    name,
    limits,
    chain,
    set,
    deleteKeys,
    get,
    getAll,
    scan,
    history,
    known,
    txScan,
    proven,
    verifiableGet,
    requireKnownSince,
  };
};

export type FakeDatabase = ReturnType<typeof newDatabase>;

const requireEntries = ({ entries }: SetCall, { maxTxEntries, maxKeyLen }: DatabaseLimits): void => {
  if (entries.length === 0) throw bare('no entries provided');
  if (new Set(entries.map(({ key }) => key.toString('latin1'))).size < entries.length)
    throw illegal('duplicated keys are not supported in single batch transaction');
  if (entries.length > maxTxEntries) throw bare('max number of entries per tx exceeded');
  for (const { key } of entries) {
    if (key.length === 0) throw illegal('illegal arguments');
    if (key.length >= maxKeyLen) throw bare('max key length exceeded');
  }
};

const requirePreconditions = ({ preconditions }: SetCall, { maxTxEntries, maxKeyLen }: DatabaseLimits): void => {
  if (preconditions.length > maxTxEntries) throw bare('invalid precondition: too many preconditions');
  for (const { keyMustExist, keyMustNotExist, keyNotModifiedAfterTx } of preconditions) {
    const key = (keyMustExist ?? keyMustNotExist ?? keyNotModifiedAfterTx)?.key;
    if (key === undefined) throw bare('invalid precondition: : null');
    if (key.length === 0) throw bare('invalid precondition: null key');
    if (key.length >= maxKeyLen) throw bare('invalid precondition: invalid precondition: max key length exceeded');
    if (keyNotModifiedAfterTx?.txId === 0n)
      throw bare('invalid precondition: invalid precondition: invalid transaction ID');
  }
};

const unmet = (kind: string) => refusal(status.FAILED_PRECONDITION, `precondition failed: ${kind}`);

const requireLimit = (limit: bigint): number => {
  if (limit > BigInt(maxResults)) throw bare(`result size limit exceeded: ${limit.toString()}`);
  return limit === 0n ? maxResults : Number(limit);
};

const isInRange = (name: string, { prefix, seekKey, endKey, ...call }: ScanCall): boolean => {
  if (!name.startsWith(prefix.toString('latin1'))) return false;
  const [seek, end] = [seekKey.toString('latin1'), endKey.toString('latin1')];
  const isAfter = (a: string, b: string): boolean => (call.desc ? a < b : a > b);
  if (seek !== '' && !isAfter(name, seek) && !(call.inclusiveSeek && name === seek)) return false;
  return end === '' || isAfter(end, name) || (call.inclusiveEnd && name === end);
};

const bytesOf = (name: string): Buffer => Buffer.from(name, 'latin1');
const copied = (value: Buffer | null): Buffer | null => (value === null ? null : Buffer.from(value));

const isExpired = ({ metadata }: ChainEntry): boolean =>
  metadata?.expiresAt !== undefined && metadata.expiresAt <= BigInt(Math.floor(Date.now() / 1000));

const metadataOf = (metadata: On<typeof wire.kvMetadata> | null): ChainEntry['metadata'] =>
  metadata && {
    deleted: metadata.deleted,
    nonIndexable: metadata.nonIndexable,
    ...(metadata.expiration && { expiresAt: metadata.expiration.expiresAt }),
  };

const metadataOnWire = (metadata: ChainEntry['metadata']) =>
  metadata && {
    deleted: metadata.deleted,
    nonIndexable: metadata.nonIndexable,
    expiration: metadata.expiresAt === undefined ? null : { expiresAt: metadata.expiresAt },
  };

/** No spec at all means all digests. */
export const txOnWire = ({ header, entries }: ChainTx, spec: Spec) => {
  const action = spec === null ? 1 : (spec.kv?.action ?? 0);
  const stored = entries.map((each) => ({
    ...statedEntry(each),
    vLen: each.value === null ? 0 : each.value.length + 1,
    metadata: metadataOnWire(each.metadata),
    ...(action === 2 && each.value !== null ? { value: Buffer.concat([Buffer.of(0), each.value]) } : {}),
  }));
  return { header, entries: action === 0 ? [] : stored };
};
