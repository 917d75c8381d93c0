import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { openChannels, type Channels } from './channels.ts';
import { channelCredentials, type TlsOptions } from './credentials.ts';
import { ledgerError, LedgerError } from './errors.ts';
import { methods, type Method } from './proto/methods.ts';

export type LedgerOptions = {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  /** Asked each time a session is opened. See `passwordFromFile`. */
  readonly password: () => Promise<string>;
  readonly tls?: TlsOptions;
  /** TCP connections. With two or more, the first carries the writes alone. Default 2. */
  readonly channels?: number;
  /** For calls that do not state their own. Default 10,000. */
  readonly deadlineMs?: number;
  /** Idle time after which the session is kept alive; the server drops it after 2 minutes. Default 30,000. */
  readonly keepAliveMs?: number;
  /** Largest request; answers may be a little larger. Default 32 MiB, which is immudb's own limit. */
  readonly maxMessageBytes?: number;
};

export type CallOptions = {
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * A session on one database of an immudb server. States:
 *
 * - `open`: calls are sent.
 * - `lost`: the server said that it does not know the session (it restarted, or the session expired). Every call fails
 *   with LEDGER_SESSION_LOST and nothing is sent until `reopen` has succeeded: whoever wrote must read the ledger first.
 * - `reopening`: as `lost`, with a new session on its way.
 * - `closed`: for good. Every call fails with UNEXPECTED.
 *
 * Nothing is ever sent again by itself.
 */
export type Session = {
  /** `lane`: see Channels. Rejects with LedgerError. */
  call<Request, Answer>(method: Method<Request, Answer>, request: Request, options?: SessionCall): Promise<Answer>;
  readonly state: () => SessionState['kind'];
  /** Resolves when the session is open, at once if it is. Concurrent calls share one attempt; a failed one leaves `lost`. */
  readonly reopen: () => Promise<void>;
  /**
   * Takes no more calls, lets those under way finish within the deadline, closes the session on the server and the
   * connections. Never rejects; idempotent.
   */
  readonly close: (deadlineMs?: number) => Promise<void>;
};

export type SessionCall = CallOptions & { readonly lane?: 'write' | 'read' };

type SessionState =
  | { readonly kind: 'open'; readonly metadata: Metadata }
  | { readonly kind: 'lost' }
  | { readonly kind: 'reopening'; readonly opening: Promise<Metadata>; readonly done: Promise<void> }
  | { readonly kind: 'closed'; readonly done: Promise<void> };

const defaults = { channels: 2, deadlineMs: 10_000, keepAliveMs: 30_000, maxMessageBytes: 32 * 1024 * 1024 } as const;

export const openSession = async (given: LedgerOptions): Promise<Session> => {
  const options = { ...defaults, ...given };
  const credentials = await channelCredentials(options.tls);
  const { tls, host, port, maxMessageBytes } = options;
  const serverName = tls?.serverName === undefined ? {} : { serverName: tls.serverName };
  const channels = openChannels({
    host,
    port,
    credentials,
    maxMessageBytes,
    channels: options.channels,
    ...serverName,
  });
  try {
    return sessionOver(channels, options, await authenticate(channels, options));
  } catch (error) {
    channels.close();
    throw error;
  }
};

type Options = Omit<LedgerOptions, keyof typeof defaults> & Readonly<Record<keyof typeof defaults, number>>;

const sessionOver = (channels: Channels, options: Options, opened: Metadata): Session => {
  let state: SessionState = { kind: 'open', metadata: opened };
  const underWay = new Set<Promise<unknown>>();
  const where = whereOf(options);

  const call: Session['call'] = async (method, request, { lane = 'read', deadlineMs, signal } = {}) => {
    if (state.kind !== 'open') throw notOpen(state.kind, method.name, where);
    const { metadata } = state;
    idle.refresh();
    const sent = ask(channels, method, request, {
      lane,
      metadata,
      where,
      signal,
      deadlineMs: deadlineMs ?? options.deadlineMs,
    });
    underWay.add(sent);
    try {
      return await sent;
    } catch (error) {
      lose(error, metadata);
      throw error;
    } finally {
      underWay.delete(sent);
    }
  };

  /** A late answer about an earlier session says nothing about the present one. */
  const lose = (error: unknown, metadata: Metadata): void => {
    if (!(error instanceof LedgerError) || error.code !== 'LEDGER_SESSION_LOST') return;
    if (state.kind === 'open' && state.metadata === metadata) state = { kind: 'lost' };
  };

  const reopen = (): Promise<void> => {
    if (state.kind === 'open') return Promise.resolve();
    if (state.kind === 'reopening') return state.done;
    if (state.kind === 'closed') return Promise.reject(notOpen('closed', 'reopen', where));
    const opening = authenticate(channels, options);
    const done = opening.then(
      (metadata) => reopened({ kind: 'open', metadata }),
      (error: unknown) => {
        reopened({ kind: 'lost' });
        throw error;
      },
    );
    state = { kind: 'reopening', opening, done };
    return done;
  };

  /** Unless `close` came in between: then it is `close` that ends the new session. */
  const reopened = (next: SessionState): void => {
    if (state.kind === 'reopening') state = next;
  };

  const close = (deadlineMs = options.deadlineMs): Promise<void> => {
    if (state.kind === 'closed') return state.done;
    const before = state;
    clearTimeout(idle);
    const done = letGo(before, deadlineMs);
    state = { kind: 'closed', done };
    return done;
  };

  const letGo = async (before: SessionState, deadlineMs: number): Promise<void> => {
    await within(deadlineMs, [...underWay]);
    const metadata = await metadataOf(before);
    if (metadata !== null) await farewell(metadata, deadlineMs);
    channels.close();
  };

  /** A session that could not be closed expires on the server by itself. */
  const farewell = async (metadata: Metadata, deadlineMs: number): Promise<void> => {
    const sent = { lane: 'write', metadata, where, deadlineMs } as const;
    await ask(channels, methods.closeSession, {}, sent).catch(() => undefined);
  };

  const beat = (): void => {
    idle.refresh();
    // A failure is no news: if the session is lost, `call` has noted it; if the way is, the next call meets it too.
    if (state.kind === 'open') void call(methods.keepAlive, {}).catch(() => undefined);
  };
  const idle = setTimeout(beat, options.keepAliveMs).unref();

  return { call, reopen, close, state: () => state.kind };
};

type Sent = {
  readonly lane: 'write' | 'read';
  readonly metadata: Metadata;
  readonly where: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
};

const ask = async <Request, Answer>(
  channels: Channels,
  method: Method<Request, Answer>,
  request: Request,
  { lane, where, ...sent }: Sent,
): Promise<Answer> => {
  const doing = `${method.name} on ${where}`;
  if (sent.signal?.aborted === true)
    throw new LedgerError('LEDGER_TIMEOUT', `${doing}: cancelled before it was sent`, {
      outcome: 'not-written',
      cause: sent.signal.reason,
    });
  const body = method.encode(request);
  const answer = await channels.unary(lane, { path: method.path, body, ...sent }).catch((error: unknown) => {
    throw ledgerError(error, doing);
  });
  return decode(method, answer, doing);
};

const decode = <Request, Answer>(method: Method<Request, Answer>, answer: Buffer, doing: string): Answer => {
  try {
    return method.decode(answer);
  } catch (error) {
    const message = `${doing}: the answer is no valid message`;
    throw new LedgerError('LEDGER_ANSWER_INVALID', message, { outcome: 'unknown', cause: error });
  }
};

const authenticate = async (channels: Channels, options: Options): Promise<Metadata> => {
  const request = {
    username: Buffer.from(options.username),
    password: Buffer.from(await options.password()),
    databaseName: options.database,
  };
  const { deadlineMs } = options;
  const sent = { lane: 'write', metadata: new Metadata(), where: whereOf(options), deadlineMs } as const;
  const { sessionId } = await ask(channels, methods.openSession, request, sent);
  const metadata = new Metadata();
  metadata.set('sessionid', sessionId);
  return metadata;
};

const metadataOf = (state: SessionState): Promise<Metadata | null> => {
  if (state.kind === 'reopening') return state.opening.catch(() => null);
  return Promise.resolve(state.kind === 'open' ? state.metadata : null);
};

const whereOf = ({ host, port, database }: Options): string => `immudb ${host}:${port}/${database}`;

const notOpen = (state: 'lost' | 'reopening' | 'closed', name: string, where: string): LedgerError => {
  const code = state === 'closed' ? 'UNEXPECTED' : 'LEDGER_SESSION_LOST';
  return new LedgerError(code, `${name} on ${where}: the session is ${state}`, { outcome: 'not-written' });
};

const within = async (deadlineMs: number, promises: readonly Promise<unknown>[]): Promise<void> => {
  const giveUp = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: giveUp.signal }).catch(() => undefined);
  await Promise.race([Promise.allSettled(promises), late]);
  giveUp.abort();
};
