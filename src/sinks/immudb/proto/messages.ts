import { bool, bytes, float, int32, int64, many, manyBytes, message, one, string, uint32, uint64 } from './wire.ts';

// The part of the protocol of immudb 1.11 that this project speaks (package immudb.schema). Field numbers are the
// contract; what is not listed here is skipped when read.

export const empty = message({});

// --- keys and values

const expiration = message({ expiresAt: int64(1) });
export const kvMetadata = message({ deleted: bool(1), expiration: one(2, expiration), nonIndexable: bool(3) });
const keyValue = message({ key: bytes(1), value: bytes(2), metadata: one(3, kvMetadata) });
const keyOnly = message({ key: bytes(1) });
const keyAndTx = message({ key: bytes(1), txId: uint64(2) });
/** Exactly one of the three is set. */
const precondition = message({
  keyMustExist: one(1, keyOnly),
  keyMustNotExist: one(2, keyOnly),
  keyNotModifiedAfterTx: one(3, keyAndTx),
});
export const setRequest = message({
  entries: many(1, keyValue),
  noWait: bool(2),
  preconditions: many(3, precondition),
});
export const keyRequest = message({ key: bytes(1), atTx: uint64(2), sinceTx: uint64(3), noWait: bool(4) });
export const keyListRequest = message({ keys: manyBytes(1), sinceTx: uint64(2) });
export const deleteKeysRequest = message({ keys: manyBytes(1), sinceTx: uint64(2), noWait: bool(3) });
export const scanRequest = message({
  seekKey: bytes(1),
  prefix: bytes(2),
  desc: bool(3),
  limit: uint64(4),
  sinceTx: uint64(5),
  noWait: bool(6),
  endKey: bytes(7),
  inclusiveSeek: bool(8),
  inclusiveEnd: bool(9),
  offset: uint64(10),
});
export const historyRequest = message({
  key: bytes(1),
  offset: uint64(2),
  limit: int32(3),
  desc: bool(4),
  sinceTx: uint64(5),
});
/** Only its presence is of interest: an entry that was reached through a reference is refused. */
const reference = message({ tx: uint64(1), key: bytes(2) });
export const entry = message({
  tx: uint64(1),
  key: bytes(2),
  value: bytes(3),
  referencedBy: one(4, reference),
  metadata: one(5, kvMetadata),
  expired: bool(6),
  revision: uint64(7),
});
export const entries = message({ entries: many(1, entry) });

// --- transactions and proofs

export const txMetadata = message({ truncatedTxId: uint64(1), extra: bytes(2) });
export const txHeader = message({
  id: uint64(1),
  prevAlh: bytes(2),
  ts: int64(3),
  nentries: int32(4),
  eH: bytes(5),
  blTxId: uint64(6),
  blRoot: bytes(7),
  version: int32(8),
  metadata: one(9, txMetadata),
});
/** Key and value carry their one-byte prefix; vLen counts it. */
const txEntry = message({
  key: bytes(1),
  hValue: bytes(2),
  vLen: int32(3),
  metadata: one(4, kvMetadata),
  value: bytes(5),
});
export const tx = message({ header: one(1, txHeader), entries: many(2, txEntry) });
export const txList = message({ txs: many(1, tx) });
const signature = message({ publicKey: bytes(1), signature: bytes(2) });
const inclusionProof = message({ leaf: int32(1), width: int32(2), terms: manyBytes(3) });
const linearProof = message({ sourceTxId: uint64(1), targetTxId: uint64(2), terms: manyBytes(3) });
const linearAdvanceProof = message({ linearProofTerms: manyBytes(1), inclusionProofs: many(2, inclusionProof) });
export const dualProof = message({
  sourceTxHeader: one(1, txHeader),
  targetTxHeader: one(2, txHeader),
  inclusionProof: manyBytes(3),
  consistencyProof: manyBytes(4),
  targetBlTxAlh: bytes(5),
  lastInclusionProof: manyBytes(6),
  linearProof: one(7, linearProof),
  linearAdvanceProof: one(8, linearAdvanceProof),
});
export const verifiableTx = message({ tx: one(1, tx), dualProof: one(2, dualProof), signature: one(3, signature) });
export const verifiableEntry = message({
  entry: one(1, entry),
  verifiableTx: one(2, verifiableTx),
  inclusionProof: one(3, inclusionProof),
});
export const verifiableGetRequest = message({ keyRequest: one(1, keyRequest), proveSinceTx: uint64(2) });

/** 0 leaves the entries out, 1 gives their digests, 2 also their values as stored. */
const entryTypeSpec = message({ action: int32(1) });
const entriesSpec = message({
  kv: one(1, entryTypeSpec),
  sortedSets: one(2, entryTypeSpec),
  sql: one(3, entryTypeSpec),
});
export const txRequest = message({
  tx: uint64(1),
  entriesSpec: one(2, entriesSpec),
  sinceTx: uint64(3),
  noWait: bool(4),
  keepReferencesUnresolved: bool(5),
});
export const verifiableTxRequest = message({
  tx: uint64(1),
  proveSinceTx: uint64(2),
  entriesSpec: one(3, entriesSpec),
  sinceTx: uint64(4),
  noWait: bool(5),
  keepReferencesUnresolved: bool(6),
});
export const txScanRequest = message({
  initialTx: uint64(1),
  limit: uint32(2),
  desc: bool(3),
  entriesSpec: one(4, entriesSpec),
  sinceTx: uint64(5),
  noWait: bool(6),
});
export const immutableState = message({
  db: string(1),
  txId: uint64(2),
  txHash: bytes(3),
  signature: one(4, signature),
  precommittedTxId: uint64(5),
  precommittedTxHash: bytes(6),
});

// --- sessions and server

export const openSessionRequest = message({ username: bytes(1), password: bytes(2), databaseName: string(3) });
export const openSessionResponse = message({ sessionId: string(1), serverUuid: string(2) });
export const healthResponse = message({ status: bool(1), version: string(2) });
export const serverInfoResponse = message({
  version: string(1),
  startedAt: int64(2),
  numTransactions: int64(3),
  numDatabases: int32(4),
  databasesDiskSize: int64(5),
});

// --- databases and users

const nullableUint32 = message({ value: uint32(1) });
const nullableFloat = message({ value: float(1) });
const nullableBool = message({ value: bool(1) });
const nullableMilliseconds = message({ value: int64(1) });
const indexSettings = message({
  flushThreshold: one(1, nullableUint32),
  syncThreshold: one(2, nullableUint32),
  cacheSize: one(3, nullableUint32),
  maxNodeSize: one(4, nullableUint32),
  compactionThld: one(7, nullableUint32),
  flushBufferSize: one(12, nullableUint32),
  cleanupPercentage: one(13, nullableFloat),
  maxBulkSize: one(14, nullableUint32),
  bulkPreparationTimeout: one(15, nullableMilliseconds),
});
const truncationSettings = message({
  retentionPeriod: one(1, nullableMilliseconds),
  truncationFrequency: one(2, nullableMilliseconds),
});
const databaseSettings = message({
  fileSize: one(8, nullableUint32),
  maxKeyLen: one(9, nullableUint32),
  maxValueLen: one(10, nullableUint32),
  maxTxEntries: one(11, nullableUint32),
  excludeCommitTime: one(12, nullableBool),
  maxConcurrency: one(13, nullableUint32),
  maxIoConcurrency: one(14, nullableUint32),
  txLogCacheSize: one(15, nullableUint32),
  indexSettings: one(19, indexSettings),
  writeTxHeaderVersion: one(20, nullableUint32),
  autoload: one(21, nullableBool),
  readTxPoolSize: one(22, nullableUint32),
  syncFrequency: one(23, nullableMilliseconds),
  writeBufferSize: one(24, nullableUint32),
  maxActiveTransactions: one(26, nullableUint32),
  mvccReadSetLimit: one(27, nullableUint32),
  vLogCacheSize: one(28, nullableUint32),
  truncationSettings: one(29, truncationSettings),
  embeddedValues: one(30, nullableBool),
  preallocFiles: one(31, nullableBool),
});
export const createDatabaseRequest = message({
  name: string(1),
  settings: one(2, databaseSettings),
  ifNotExists: bool(3),
});
export const createDatabaseResponse = message({
  name: string(1),
  settings: one(2, databaseSettings),
  alreadyExisted: bool(3),
});
/** Both the request and the answer of UpdateDatabaseV2. */
export const updateDatabase = message({ database: string(1), settings: one(2, databaseSettings) });
const databaseInfo = message({
  name: string(1),
  settings: one(2, databaseSettings),
  loaded: bool(3),
  diskSize: uint64(4),
  numTransactions: uint64(5),
  createdAt: uint64(6),
  createdBy: string(7),
});
export const databaseListResponse = message({ databases: many(1, databaseInfo) });
export const createUserRequest = message({
  user: bytes(1),
  password: bytes(2),
  permission: uint32(3),
  database: string(4),
});
