import { randomUUID } from 'node:crypto';
import { status, type Metadata } from '@grpc/grpc-js';
import { newDatabase, type FakeDatabase } from './immudb-database.ts';
import { bare, illegal, refusal, sessionNotFound } from './immudb-refusal.ts';
import type { AnswerOf, RequestOf } from './immudb-methods.ts';

export type Rights = { readonly permission: number; readonly database: string };
type User = { readonly password: string; readonly rights: readonly Rights[] };
export type FakeSession = {
  /** Of the last call, by the monotonic clock. */
  lastCall: number;
  readonly username: string;
  readonly database: FakeDatabase;
  readonly permission: number;
};
type Settings = NonNullable<AnswerOf<'CreateDatabaseV2'>['settings']>;
type Kept = { readonly database: FakeDatabase; settings: Settings };

export type AccountLimits = {
  readonly maxSessions: number;
  readonly maxTxEntries: number;
  readonly maxTransactions: number;
  /** A session idle for longer is gone. */
  readonly sessionTimeoutMs: number;
};

const admin = 254;
const maxNameLength = 128;
const maxDatabases = 100;
const permanent = ['maxTxEntries', 'maxKeyLen', 'maxValueLen', 'fileSize', 'embeddedValues'] as const;

/** Users, sessions and databases of one fake server. */
export const newAccounts = (limits: AccountLimits) => {
  const users = new Map<string, User>([['immudb', { password: 'immudb', rights: [] }]]);
  const sessions = new Map<string, FakeSession>();
  const databases = new Map<string, Kept>();

  const defaultsOf = (): Settings => ({
    maxTxEntries: { value: limits.maxTxEntries },
    maxKeyLen: { value: 1024 },
    maxValueLen: { value: 32 * 1024 * 1024 },
    fileSize: { value: 512 * 1024 * 1024 },
    embeddedValues: { value: false },
    writeTxHeaderVersion: { value: 1 },
    excludeCommitTime: { value: false },
    maxConcurrency: { value: 30 },
    readTxPoolSize: { value: 128 },
    maxActiveTransactions: { value: 1000 },
    syncFrequency: { value: 20n },
    indexSettings: { cacheSize: { value: 128 * 1024 * 1024 }, maxBulkSize: { value: 1 } },
  });

  const keep = (name: string, wished: Settings): Kept => {
    const settings = { ...defaultsOf(), ...given(wished) };
    const { maxTxEntries, maxKeyLen } = settings;
    const sizes = { maxTxEntries: maxTxEntries?.value ?? 1024, maxKeyLen: maxKeyLen?.value ?? 1024 };
    const kept = { settings, database: newDatabase(name, { ...sizes, maxTransactions: limits.maxTransactions }) };
    databases.set(name, kept);
    return kept;
  };
  keep('defaultdb', {});

  const database = (name: string): FakeDatabase => {
    const kept = databases.get(name.toLowerCase());
    if (kept === undefined) throw bare('database does not exist');
    return kept.database;
  };

  const permissionOn = (username: string, name: string): number =>
    username === 'immudb'
      ? admin
      : (users.get(username)?.rights.find((each) => each.database === name)?.permission ?? 0);

  const openSession = ({ username, password, databaseName }: RequestOf<'OpenSession'>): string => {
    const name = username.toString();
    if (users.get(name)?.password !== password.toString()) throw bare('invalid user name or password');
    const opened = database(databaseName);
    const permission = permissionOn(name, opened.name);
    if (permission === 0)
      throw refusal(status.PERMISSION_DENIED, 'Logged in user does not have permission on this database');
    if (sessions.size >= limits.maxSessions)
      throw refusal(status.INTERNAL, 'can not create new session: max sessions number reached');
    const id = randomUUID();
    sessions.set(id, { username: name, database: opened, permission, lastCall: performance.now() });
    return id;
  };

  const sessionIdOf = (metadata: Metadata): string => {
    const [id] = metadata.get('sessionid');
    if (id === undefined) throw bare('not logged in');
    if (id === '') throw bare('no sessionID provided');
    return id.toString();
  };

  const session = (metadata: Metadata): FakeSession => {
    const id = sessionIdOf(metadata);
    const found = sessions.get(id);
    if (found === undefined) throw sessionNotFound();
    if (performance.now() - found.lastCall > limits.sessionTimeoutMs) {
      sessions.delete(id);
      throw sessionNotFound();
    }
    found.lastCall = performance.now();
    return found;
  };

  const createDatabase = ({ name, settings, ifNotExists }: RequestOf<'CreateDatabaseV2'>) => {
    requireName(name);
    const existing = databases.get(name.toLowerCase());
    if (existing !== undefined && !ifNotExists) throw bare('database already exists');
    if (existing === undefined && databases.size >= maxDatabases)
      throw bare(`the fake holds ${maxDatabases} databases`);
    const kept = existing ?? keep(name.toLowerCase(), settings ?? {});
    return { name: kept.database.name, settings: kept.settings, alreadyExisted: existing !== undefined };
  };

  const updateDatabase = ({ database: name, settings }: RequestOf<'UpdateDatabaseV2'>) => {
    const kept = databases.get(database(name).name);
    if (kept === undefined) throw bare('database does not exist');
    if (name === 'defaultdb') throw refusal(status.INTERNAL, 'database is reserved');
    if (permanent.some((each) => (settings?.[each] ?? null) !== null))
      throw illegal(
        `rpc error: code = InvalidArgument desc = illegal arguments: this can not be changed after database creation ('${name}')`,
      );
    kept.settings = { ...kept.settings, ...given(settings ?? {}) };
    return { database: name, settings: kept.settings };
  };

  const createUser = ({ user, password, permission, database: name }: RequestOf<'CreateUser'>): void => {
    if (users.has(user.toString())) throw bare('user already exists');
    users.set(user.toString(), {
      password: password.toString(),
      rights: [{ permission, database: database(name).name }],
    });
  };

  return {
    database,
    openSession,
    closeSession: (metadata: Metadata) => {
      session(metadata);
      sessions.delete(sessionIdOf(metadata));
    },
    session,
    sessions: () => sessions.size,
    forgetSessions: () => sessions.clear(),
    createDatabase,
    updateDatabase,
    createUser,
    databases: () => [...databases.values()],
  };
};

export type Accounts = ReturnType<typeof newAccounts>;

const requireName = (name: string): void => {
  if (name.length === 0 || name.length > maxNameLength) throw bare('database name length outside of limits');
  if (/\s/.test(name)) throw bare('unrecognized character in database name');
  if (!/^[\p{L}\p{N}_]+$/u.test(name)) throw bare('punctuation marks and symbols are not allowed in database name');
};

/** Without what was left out, so that it does not hide what is stored. */
const given = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
