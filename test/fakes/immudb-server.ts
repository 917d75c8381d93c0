import { Server, ServerCredentials, status, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { fakeMethods, type FakeMethodName } from './immudb-methods.ts';
import { newAccounts } from './immudb-accounts.ts';
import { bare, isRefusal, refusal, type Refusal } from './immudb-refusal.ts';
import type { FakeDatabase } from './immudb-database.ts';
import { handlersFor } from './immudb-handlers.ts';
import { startTcpRelay } from './tcp-relay.ts';

/** One call as the hooks see it; `request` and answers are decoded messages. */
export type FakeCall = {
  readonly method: FakeMethodName;
  readonly request: Record<string, unknown>;
  /** Aborts when the client gave up: its deadline passed, it cancelled, or its connection is gone. */
  readonly gone: AbortSignal;
};

/** How a test lies and fails. Both may change at any time; what they throw (see `refusal`) is answered as an error. */
export type FakeHooks = {
  /** Before the call has any effect. */
  before?: ((call: FakeCall) => Promise<void> | void) | undefined;
  /** After its effect: returns what is answered in place of `answer`, or `silence()` for no answer at all. */
  after?: ((call: FakeCall, answer: Record<string, unknown>) => unknown) | undefined;
};

export type FakeImmudbOptions = {
  readonly maxSessions?: number;
  readonly maxTxEntries?: number;
  /** Idle time after which a session is gone. */
  readonly sessionTimeoutMs?: number;
  /** Transactions of one database. */
  readonly maxTransactions?: number;
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer; readonly clientCa?: Buffer };
};

/**
 * immudb's wire contract in this process: sessions, the three preconditions, real hash chains and proofs, limits and
 * exact error messages, as docs and measurements of 1.11.1 state them. Held to it by the same suite as the real server.
 */
export type FakeImmudb = {
  readonly host: string;
  /** Stays the same over `restart`. */
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly hooks: FakeHooks;
  /** A database as it lies in memory, for a test to look into. */
  readonly database: (name: string) => FakeDatabase;
  /** Calls received of each method, refused ones included. */
  readonly calls: (method: FakeMethodName) => number;
  readonly sessions: () => number;
  /** As when they expired. */
  readonly forgetSessions: () => void;
  /** While stalled, whatever needs the index hangs; a write that only waits for it is committed nevertheless. */
  readonly stallIndex: (isStalled: boolean) => void;
  readonly dropConnections: () => void;
  /** Present connections go silent, new ones work. */
  readonly blackhole: () => void;
  readonly connections: () => number;
  /** Databases and users stay; sessions and connections do not. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Never answers: the client's deadline ends the call. */
export const silence = (): Promise<never> => new Promise(() => undefined);

const maxMessageBytes = 32 * 1024 * 1024;
const defaults = { maxSessions: 100, maxTxEntries: 1024, maxTransactions: 100_000, sessionTimeoutMs: 120_000 } as const;

export const startFakeImmudb = async (given: FakeImmudbOptions = {}): Promise<FakeImmudb> => {
  const options = { ...defaults, ...given };
  const accounts = newAccounts(options);
  const relay = await startTcpRelay();
  const hooks: FakeHooks = {};
  const counts = new Map<FakeMethodName, number>();
  let index = { isStalled: false };
  let server: Server | null = null;

  const handlers = handlersFor(accounts, { whenIndexed: () => (index.isStalled ? silence() : Promise.resolve()) });

  const respond = async (method: FakeMethodName, call: ServerUnaryCall<Buffer, Buffer>): Promise<Buffer> => {
    counts.set(method, (counts.get(method) ?? 0) + 1);
    const bytes = call.request;
    if (bytes.length > maxMessageBytes)
      throw refusal(
        status.RESOURCE_EXHAUSTED,
        `grpc: received message larger than max (${bytes.length} vs. ${maxMessageBytes})`,
      );
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const request = fakeMethods[method].request.decode(bytes) as Record<string, unknown>;
    const seen: FakeCall = { method, request, gone: gone.signal };
    await hooks.before?.(seen);
    const answer = await handlers(method, request, call.metadata);
    const altered = hooks.after === undefined ? answer : await hooks.after(seen, answer);
    return fakeMethods[method].answer.encode(altered as never);
  };

  const start = async (): Promise<void> => {
    if (server !== null) return;
    server = new Server({ 'grpc.max_receive_message_length': 2 * maxMessageBytes, 'grpc.max_send_message_length': -1 });
    for (const method of Object.keys(fakeMethods) as FakeMethodName[]) {
      const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
        respond(method, call).then(
          (answer) => done(null, answer),
          (error: unknown) => done(asAnswer(error)),
        );
      };
      server.addService({ [method]: definition(method) }, { [method]: handle });
    }
    relay.target(await listen(server, options));
  };

  const stop = (): Promise<void> => {
    server?.forceShutdown();
    server = null;
    accounts.forgetSessions();
    relay.target(unusedPort);
    relay.drop();
    return Promise.resolve();
  };

  await start();
  return {
    host: '127.0.0.1',
    port: relay.port,
    username: 'immudb',
    password: 'immudb',
    hooks,
    database: accounts.database,
    calls: (method) => counts.get(method) ?? 0,
    sessions: accounts.sessions,
    forgetSessions: accounts.forgetSessions,
    stallIndex: (isStalled) => (index = { isStalled }),
    dropConnections: relay.drop,
    blackhole: relay.blackhole,
    connections: relay.connections,
    start,
    stop,
    close: async () => {
      await stop();
      await relay.close();
    },
  };
};

/** Port 1 (tcpmux) has nobody listening: connections are refused. */
const unusedPort = 1;

const listen = async (server: Server, { tls }: FakeImmudbOptions): Promise<number> => {
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.clientCa ?? null,
          [{ private_key: tls.key, cert_chain: tls.cert }],
          tls.clientCa !== undefined,
        );
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
};

const asIs = (bytes: Buffer): Buffer => bytes;
const definition = (method: FakeMethodName) => ({
  path: `/immudb.schema.ImmuService/${method}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const asAnswer = (error: unknown): Refusal => (isRefusal(error) ? error : bare(`the fake failed: ${String(error)}`));
