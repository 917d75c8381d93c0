import {
  Client,
  Metadata,
  status,
  type ChannelCredentials,
  type ChannelOptions,
  type ServiceError,
} from '@grpc/grpc-js';

export type ChannelsOptions = {
  readonly host: string;
  readonly port: number;
  readonly credentials: ChannelCredentials;
  readonly serverName?: string;
  /** TCP connections, at least 1. */
  readonly channels: number;
  readonly maxMessageBytes: number;
};

export type UnaryCall = {
  readonly path: string;
  readonly body: Buffer;
  readonly metadata: Metadata;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
};

/** Several connections to one server, so that large answers to readers do not stand in the way of a write. */
export type Channels = {
  /**
   * The answer's bytes. Rejects with grpc-js's ServiceError. A call whose bytes may have reached the server is never
   * sent again.
   */
  unary(lane: 'write' | 'read', call: UnaryCall): Promise<Buffer>;
  /** Cancels what is under way. Idempotent. */
  close(): void;
};

/** So many calls in a row without any answer, and the connection itself is suspected. */
const suspectAfter = 3;
/** An answer holds what a request of the largest size wrote, and some 60 bytes more for each of its entries. */
const answerSurplusBytes = 4 * 1024 * 1024;

type Lane = { client: Client; unanswered: number };

export const openChannels = (options: ChannelsOptions): Channels => {
  const open = (): Client => new Client(addressOf(options), options.credentials, channelOptions(options));
  const lane = (): Lane => ({ client: open(), unanswered: 0 });
  const writes = lane();
  const reads = Array.from({ length: options.channels - 1 }, lane);
  const live = new Set<() => void>();
  let turn = 0;

  /** The first lane is the writes'; reads take turns on the others, or share the only one. */
  const laneFor = (kind: 'write' | 'read'): Lane =>
    (kind === 'read' ? reads[turn++ % reads.length] : undefined) ?? writes;

  // A peer that vanished without a word holds a connection for up to a quarter of an hour, while grpc-js would wait on
  // it. Pinging more often than every five minutes is what Go servers punish, so a fresh connection is tried instead.
  const settled = (lane: Lane, error: ServiceError | null): void => {
    lane.unanswered = error?.code === status.DEADLINE_EXCEEDED ? lane.unanswered + 1 : 0;
    if (lane.unanswered < suspectAfter) return;
    lane.client.close();
    lane.client = open();
    lane.unanswered = 0;
  };

  return {
    unary: (kind, call) => send(laneFor(kind), call, live, settled),
    close: () => {
      for (const cancel of live) cancel();
      for (const { client } of [writes, ...reads]) client.close();
    },
  };
};

type Settled = (lane: Lane, error: ServiceError | null) => void;

const send = (lane: Lane, call: UnaryCall, live: Set<() => void>, settled: Settled): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const { client } = lane;
    const done = (error: ServiceError | null, answer?: Buffer): void => {
      live.delete(cancel);
      call.signal?.removeEventListener('abort', cancel);
      if (client === lane.client) settled(lane, error);
      if (error === null && answer !== undefined) resolve(answer);
      else reject(error ?? new Error('neither an error nor an answer'));
    };
    const { path, body, metadata } = call;
    const deadline = Date.now() + call.deadlineMs;
    const running = client.makeUnaryRequest(path, asIs, asIs, body, metadata, { deadline }, done);
    const cancel = (): void => running.cancel();
    live.add(cancel);
    call.signal?.addEventListener('abort', cancel, { once: true });
  });

const asIs = (bytes: Buffer): Buffer => bytes;

const addressOf = ({ host, port }: ChannelsOptions): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const channelOptions = ({ serverName, maxMessageBytes }: ChannelsOptions): ChannelOptions => ({
  // Without a pool of its own all channels to one address share one connection.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.max_receive_message_length': maxMessageBytes + answerSurplusBytes,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5_000,
  'grpc.keepalive_time_ms': 300_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  ...(serverName === undefined
    ? {}
    : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
});
