import { methods } from './proto/methods.ts';
import { openSession, type CallOptions, type LedgerOptions, type Session } from './session.ts';
import { maxTxEntries } from './transaction.ts';

/** Settings of a database; what is left out is immudb's default. Most are permanent once it exists. */
export type DatabaseSettings = {
  /** Entries of one transaction. Permanent. */
  readonly maxTxEntries?: number;
  /** Bytes, of which one is a prefix of immudb's. Permanent. */
  readonly maxKeyLen?: number;
  readonly maxValueLen?: number;
  /** Bytes. Permanent. */
  readonly fileSize?: number;
  /** Permanent. */
  readonly embeddedValues?: boolean;
  readonly writeTxHeaderVersion?: number;
  readonly excludeCommitTime?: boolean;
  readonly syncFrequencyMs?: number;
  readonly maxConcurrency?: number;
  readonly readTxPoolSize?: number;
  readonly maxActiveTransactions?: number;
  readonly indexCacheSize?: number;
  readonly indexMaxBulkSize?: number;
};

/**
 * Of a database made for a ledger. immudb lets a write wait for its next sync, every 20 ms unless it is told otherwise:
 * one writer at a time then waits for a quarter of that, doing nothing (docs/decisions/0015-sync-more-often.md).
 */
export const ledgerSettings = { maxTxEntries, syncFrequencyMs: 5 } as const satisfies DatabaseSettings;

export type StoredDatabase = {
  readonly name: string;
  /** As the server keeps them: what a creation wished for is ignored if the database existed. */
  readonly settings: DatabaseSettings;
};

const permissions = { read: 1, readWrite: 2, admin: 254 } as const;

export type NewUser = {
  readonly username: string;
  readonly password: string;
  readonly permission: keyof typeof permissions;
  readonly database: string;
};

/** What needs an administrator's session; it does not matter on which database. */
export type LedgerAdmin = Pick<Session, 'close'> & {
  /** LEDGER_SETTINGS: it exists and `ifNotExists` is false, or the name is refused (letters and digits only). */
  createDatabase(
    name: string,
    settings: DatabaseSettings,
    options?: CallOptions & { readonly ifNotExists?: boolean },
  ): Promise<StoredDatabase & { readonly alreadyExisted: boolean }>;
  /** LEDGER_SETTINGS: one of them is permanent. */
  updateDatabase(name: string, settings: DatabaseSettings, options?: CallOptions): Promise<void>;
  databaseList(options?: CallOptions): Promise<(StoredDatabase & { readonly numTransactions: bigint })[]>;
  createUser(user: NewUser, options?: CallOptions): Promise<void>;
};

export const openLedgerAdmin = async (options: Omit<LedgerOptions, 'database'>): Promise<LedgerAdmin> => {
  const session = await openSession({ channels: 1, ...options, database: 'defaultdb' });
  return {
    close: session.close,

    createDatabase: async (name, settings, { ifNotExists = false, ...call } = {}) => {
      const request = { name, settings: settingsOnWire(settings), ifNotExists };
      const answer = await session.call(methods.createDatabase, request, call);
      return { name: answer.name, settings: settingsOf(answer.settings), alreadyExisted: answer.alreadyExisted };
    },

    updateDatabase: async (database, settings, call) => {
      await session.call(methods.updateDatabase, { database, settings: settingsOnWire(settings) }, call);
    },

    databaseList: async (call) => {
      const { databases } = await session.call(methods.databaseList, {}, call);
      return databases.map(({ name, settings, numTransactions }) => ({
        name,
        settings: settingsOf(settings),
        numTransactions,
      }));
    },

    createUser: async ({ username, password, permission, database }, call) => {
      const [user, secret] = [Buffer.from(username), Buffer.from(password)];
      const request = { user, password: secret, permission: permissions[permission], database };
      await session.call(methods.createUser, request, call);
    },
  };
};

type Wrapped<T> = { readonly value: T };
const wrap = <T>(value: T | undefined): Wrapped<T> | undefined => (value === undefined ? undefined : { value });

const plainNames = [
  'maxTxEntries',
  'maxKeyLen',
  'maxValueLen',
  'fileSize',
  'embeddedValues',
  'writeTxHeaderVersion',
  'excludeCommitTime',
  'maxConcurrency',
  'readTxPoolSize',
  'maxActiveTransactions',
] as const;

type OnWire = NonNullable<Parameters<typeof methods.createDatabase.encode>[0]['settings']>;
type Stored = ReturnType<typeof methods.createDatabase.decode>['settings'];

const settingsOnWire = (settings: DatabaseSettings): OnWire => {
  const { syncFrequencyMs, indexCacheSize, indexMaxBulkSize } = settings;
  return {
    ...Object.fromEntries(plainNames.map((name) => [name, wrap<number | boolean>(settings[name])])),
    syncFrequency: wrap(syncFrequencyMs === undefined ? undefined : BigInt(syncFrequencyMs)),
    indexSettings: { cacheSize: wrap(indexCacheSize), maxBulkSize: wrap(indexMaxBulkSize) },
  };
};

const settingsOf = (stored: Stored): DatabaseSettings => {
  const named = {
    ...Object.fromEntries(plainNames.map((name) => [name, stored?.[name]?.value])),
    syncFrequencyMs: stored?.syncFrequency ? Number(stored.syncFrequency.value) : undefined,
    indexCacheSize: stored?.indexSettings?.cacheSize?.value,
    indexMaxBulkSize: stored?.indexSettings?.maxBulkSize?.value,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
};
