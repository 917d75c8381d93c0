/** Real servers for development, tests, demo and bench: one interface, native processes or containers behind it. */

/** One server of the stack, to be hurt by fault runs. Calls resolve when they are true. */
export type Server = {
  readonly name: string;
  /** Process id of a native server; undefined in a container. */
  readonly pid: number | undefined;
  /** SIGKILL; resolves when it is gone. Its data stays. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
  /** Starts it anew on the same port and data; resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): Promise<void>;
  resume(): Promise<void>;
};

export type StackOptions = {
  /** Default: one broker with a PLAINTEXT listener. `false`: no Kafka. */
  readonly kafka?:
    | false
    | { readonly brokers?: number; readonly secured?: boolean; readonly properties?: Readonly<Record<string, string>> };
  /** Default: one server without TLS. `false`: no immudb. */
  readonly immudb?:
    false | { readonly tls?: 'server' | 'mutual'; readonly signingKey?: boolean; readonly flags?: readonly string[] };
  /** The development registry (srfake). Default false. */
  readonly registry?: boolean;
  /** Default false. */
  readonly toxiproxy?: boolean;
  readonly signal?: AbortSignal;
  /** One line per step, for a progress display. */
  readonly onProgress?: (step: string) => void;
};

export type Stack = {
  readonly kind: 'native' | 'docker';
  readonly kafka: {
    /** host:port of every PLAINTEXT listener. */
    readonly brokers: readonly string[];
    readonly servers: readonly Server[];
    /** With `secured`: the SASL_SSL listener, its CA and one user for each mechanism (PLAIN, SCRAM, OAUTHBEARER). */
    readonly secured?: {
      readonly brokers: readonly string[];
      readonly caFile: string;
      readonly username: string;
      readonly passwordFile: string;
    };
  };
  readonly immudb: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly passwordFile: string;
    readonly metricsUrl: string;
    /** Where its data lies (native only), for tests that tamper. */
    readonly dataDir: string | undefined;
    readonly server: Server;
    readonly tls?: { readonly caFile: string; readonly certFile?: string; readonly keyFile?: string };
    readonly signingPublicKeyFile?: string;
  };
  readonly registry?: { readonly url: string; readonly server: Server };
  readonly toxiproxy?: {
    readonly url: string;
    readonly server: Server;
    /** Ports for proxies to listen on (at 0.0.0.0); clients reach them at the host of `url`. */
    readonly ports: readonly number[];
    /** The servers' addresses as toxiproxy reaches them. Kafka clients move on to the advertised address. */
    readonly upstreams: { readonly kafka: readonly string[]; readonly immudb: string };
  };
  /** Ends every server and removes its data. Idempotent. */
  stop(): Promise<void>;
};
