import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

/**
 * `count` different TCP ports of 127.0.0.1 that nobody listens on. They lie below the range from which systems take
 * the ports of outgoing connections (32768 on Linux, 49152 on macOS), so that a server that is stopped for a while
 * finds its port free again.
 */
export const freePorts = async (count: number): Promise<number[]> => {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 100 + count * 20) throw new Error('found no free TCP ports between 15000 and 32000');
    const port = randomInt(15_000, 32_000);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
};
