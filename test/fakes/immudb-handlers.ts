import { status, type Metadata } from '@grpc/grpc-js';
import type { Accounts, FakeSession } from './immudb-accounts.ts';
import type { AnswerOf, FakeMethodName, RequestOf } from './immudb-methods.ts';
import { bare, refusal } from './immudb-refusal.ts';
import { txOnWire } from './immudb-database.ts';
import { sha } from '../support/reference-tree.ts';

type Index = { readonly whenIndexed: () => Promise<void> };

type Reads = {
  [N in FakeMethodName]?: (session: FakeSession, request: RequestOf<N>) => AnswerOf<N> | Promise<AnswerOf<N>>;
};

/** What each method does once its session is known. */
const sessionMethods = ({ whenIndexed }: Index, accounts: Accounts): Reads => ({
  KeepAlive: () => ({}),
  Set: async (session, request) => {
    requireWriter(session);
    if (request.preconditions.length > 0) await whenIndexed();
    const { header } = session.database.set(request);
    if (!request.noWait) await whenIndexed();
    return header;
  },
  Delete: async (session, { keys }) => {
    requireWriter(session);
    await whenIndexed();
    return session.database.deleteKeys(keys).header;
  },
  Get: async ({ database }, { key, atTx, sinceTx }) => {
    await whenIndexed();
    database.requireKnownSince(sinceTx);
    return database.get(key, atTx);
  },
  GetAll: async ({ database }, { keys, sinceTx }) => {
    await whenIndexed();
    database.requireKnownSince(sinceTx);
    return { entries: database.getAll(keys) };
  },
  Scan: async ({ database }, request) => {
    await whenIndexed();
    database.requireKnownSince(request.sinceTx);
    return { entries: database.scan(request) };
  },
  History: async ({ database }, request) => {
    await whenIndexed();
    database.requireKnownSince(request.sinceTx);
    return { entries: database.history(request) };
  },
  TxById: async ({ database }, { tx, entriesSpec, keepReferencesUnresolved }) => {
    if (!keepReferencesUnresolved) await whenIndexed();
    return txOnWire(database.known(tx), entriesSpec);
  },
  TxScan: async ({ database }, { initialTx, limit, entriesSpec }) => {
    await whenIndexed();
    return { txs: database.txScan(initialTx, limit, entriesSpec) };
  },
  VerifiableTxById: async ({ database }, { tx, proveSinceTx, entriesSpec, keepReferencesUnresolved }) => {
    if (!keepReferencesUnresolved) await whenIndexed();
    return database.proven(tx, proveSinceTx, entriesSpec);
  },
  VerifiableGet: async ({ database }, { keyRequest, proveSinceTx }) => {
    await whenIndexed();
    const { entry, inclusionProof, tx, dualProof } = database.verifiableGet(
      keyRequest?.key ?? Buffer.alloc(0),
      keyRequest?.atTx ?? 0n,
      proveSinceTx,
    );
    return { entry, inclusionProof, verifiableTx: { tx, dualProof } };
  },
  CurrentState: ({ database }) => {
    const last = database.chain.txs.at(-1);
    const [txId, txHash] = [last?.header.id ?? 0n, last?.alh ?? sha()];
    return { db: database.name, txId, txHash, precommittedTxId: txId, precommittedTxHash: txHash };
  },
  CreateDatabaseV2: (session, request) => {
    requireAdmin(session);
    return accounts.createDatabase(request);
  },
  UpdateDatabaseV2: (session, request) => {
    requireAdmin(session);
    return accounts.updateDatabase(request);
  },
  DatabaseListV2: () => ({
    databases: accounts.databases().map(({ database, settings }) => ({
      name: database.name,
      settings,
      loaded: true,
      numTransactions: BigInt(database.chain.txs.length),
    })),
  }),
  CreateUser: (session, request) => {
    requireAdmin(session);
    accounts.createUser(request);
    return {};
  },
});

export const handlersFor = (accounts: Accounts, index: Index) => {
  const startedAt = BigInt(Math.floor(Date.now() / 1000));
  const known = {
    ...withoutSession(accounts, startedAt),
    ...sessionMethods(index, accounts),
  } as Record<FakeMethodName, Handler>;

  return (method: FakeMethodName, request: unknown, metadata: Metadata) =>
    known[method](sessionless.has(method) ? metadata : accounts.session(metadata), request);
};

type Handler = (
  who: FakeSession | Metadata,
  request: unknown,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

const sessionless: ReadonlySet<FakeMethodName> = new Set(['OpenSession', 'CloseSession', 'Health', 'ServerInfo']);

const withoutSession = (accounts: Accounts, startedAt: bigint) => ({
  OpenSession: (_: Metadata, request: RequestOf<'OpenSession'>) => ({
    sessionId: accounts.openSession(request),
    serverUuid: 'fake',
  }),
  CloseSession: (metadata: Metadata) => {
    accounts.closeSession(metadata);
    return {};
  },
  Health: () => ({ status: true, version: 'fake' }),
  ServerInfo: () => ({ version: 'fake', startedAt, numDatabases: accounts.databases().length }),
});

const requireWriter = ({ permission }: FakeSession): void => {
  if (permission < 2) throw refusal(status.INTERNAL, 'permission denied');
};

const requireAdmin = ({ permission }: FakeSession): void => {
  if (permission < 254) throw bare('loggedin user does not have permissions for this operation');
};
