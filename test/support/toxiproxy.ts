import type { Stack } from '../../stack/stack.ts';

/** A kind of toxic of toxiproxy 2.5 with its attributes: https://github.com/Shopify/toxiproxy#toxics */
export type Toxic = {
  readonly type: 'latency' | 'bandwidth' | 'reset_peer' | 'timeout' | 'limit_data';
  /** Which way is hurt: from client to server, or back. */
  readonly stream: 'upstream' | 'downstream';
  readonly attributes: Readonly<Record<string, number>>;
};

/** A way to immudb that can be hurt. Calls resolve when the hurt is there, or gone. */
export type HurtWay = {
  readonly host: string;
  readonly port: number;
  /** False: nobody listens, and what was connected is cut. */
  enable(isEnabled: boolean): Promise<void>;
  add(toxic: Toxic): Promise<void>;
  /** Takes all toxics away and listens again. */
  heal(): Promise<void>;
  close(): Promise<void>;
};

export const wayToImmudb = async (stack: Stack, name: string): Promise<HurtWay> => {
  const { toxiproxy } = stack;
  if (toxiproxy === undefined) throw new Error('this stack has no toxiproxy');
  const ask = async (method: string, path: string, body?: unknown): Promise<void> => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${toxiproxy.url}${path}`, { method, ...content });
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  const toxics: string[] = [];
  let made = 0;
  const enable = (enabled: boolean) => ask('POST', `/proxies/${name}`, { enabled });
  /** Files of tests that run beside each other share the proxy: the first port that nobody listens on. */
  const listen = async (): Promise<number> => {
    for (const port of toxiproxy.ports) {
      const proxy = { name, listen: `0.0.0.0:${port}`, upstream: toxiproxy.upstreams.immudb };
      const isTaken = (error: unknown) => String(error).includes('address already in use');
      const done = await ask('POST', '/proxies', proxy).then(
        () => true,
        (error: unknown) => {
          if (!isTaken(error)) throw error;
          return false;
        },
      );
      if (done) return port;
    }
    throw new Error('all ports of toxiproxy are in use');
  };
  const port = await listen();
  return {
    host: new URL(toxiproxy.url).hostname,
    port,
    enable,
    add: async (toxic) => {
      made += 1;
      const own = `toxic-${made}`;
      await ask('POST', `/proxies/${name}/toxics`, { ...toxic, name: own, toxicity: 1 });
      toxics.push(own);
    },
    heal: async () => {
      for (const toxic of toxics.splice(0)) await ask('DELETE', `/proxies/${name}/toxics/${toxic}`);
      await enable(true);
    },
    close: () => ask('DELETE', `/proxies/${name}`),
  };
};
