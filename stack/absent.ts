/** What a stack without Kafka or immudb has in their place: nothing to connect to, nobody to stop. */
import type { Server, Stack } from './stack.ts';

const missing = (): never => {
  throw new Error('this stack was started without immudb');
};
const absentServer: Server = {
  name: 'immudb',
  pid: undefined,
  kill: missing,
  stop: missing,
  start: missing,
  pause: missing,
  resume: missing,
};

export const noKafka: Stack['kafka'] = { brokers: [], servers: [] };
export const noImmudb: Stack['immudb'] = {
  host: '',
  port: 0,
  username: '',
  passwordFile: '',
  metricsUrl: '',
  dataDir: undefined,
  server: absentServer,
};

/** Like Promise.all, but rejects only when nothing is under way any more. */
export const allOrNothing = async <T extends readonly unknown[]>(
  starting: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> => {
  await Promise.allSettled(starting);
  return Promise.all(starting);
};
