/** The real servers as processes of this machine, installed once by install.ts. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allOrNothing, noImmudb, noKafka } from './absent.ts';
import { freePorts } from './free-ports.ts';
import { startHttpServer } from './http-server.ts';
import { startImmudb } from './immudb-server.ts';
import { install, type Installation } from './install.ts';
import { startKafka } from './kafka-server.ts';
import type { Stack, StackOptions } from './stack.ts';
import { startSupervisor, type Supervisor } from './supervised.ts';

const registryServer = (bin: string) =>
  ({
    name: 'registry',
    binary: join(bin, 'registry'),
    probe: '/subjects',
    args: (port: number) => ['-address', `127.0.0.1:${port}`],
  }) as const;
const toxiproxyServer = (bin: string) =>
  ({
    name: 'toxiproxy',
    binary: join(bin, 'toxiproxy'),
    probe: '/version',
    args: (port: number) => ['-host', '127.0.0.1', '-port', String(port)],
  }) as const;

const startServers = async (
  supervisor: Supervisor,
  installation: Installation,
  dir: string,
  options: StackOptions,
): Promise<Omit<Stack, 'kind' | 'stop'>> => {
  const { kafka = {}, immudb = {}, signal, onProgress } = options;
  const said = async <T>(name: string, starting: Promise<T>): Promise<T> => {
    const result = await starting;
    onProgress?.(`${name} answers`);
    return result;
  };
  const { bin } = installation;
  const [kafkaServer, immudbServer, registry, toxiproxy, ports] = await allOrNothing([
    kafka ? said('Kafka', startKafka(supervisor, installation, dir, kafka, signal)) : noKafka,
    immudb ? said('immudb', startImmudb(supervisor, join(bin, 'immudb'), dir, immudb, signal)) : noImmudb,
    options.registry ? said('registry', startHttpServer(supervisor, dir, registryServer(bin), signal)) : undefined,
    options.toxiproxy ? said('toxiproxy', startHttpServer(supervisor, dir, toxiproxyServer(bin), signal)) : undefined,
    freePorts(8),
  ]);
  const upstreams = { kafka: kafkaServer.brokers, immudb: `${immudbServer.host}:${immudbServer.port}` };
  return {
    kafka: kafkaServer,
    immudb: immudbServer,
    ...(registry && { registry }),
    ...(toxiproxy && { toxiproxy: { ...toxiproxy, ports, upstreams } }),
  };
};

/**
 * Installs what is missing, starts the servers, and resolves when all of them answer. Their data lies in a folder of
 * its own under the system's temporary folder and goes with them. They end with this process, even if it is killed.
 * Rejects with the last lines of the log of the server that did not start; nothing is left running then.
 */
export const startNativeStack = async (options: StackOptions = {}): Promise<Stack> => {
  const installation = await install(options);
  options.signal?.throwIfAborted();
  const dir = await mkdtemp(join(tmpdir(), 'immutrail-stack-'));
  const supervisor = startSupervisor(dir);
  options.onProgress?.('starting the servers');
  try {
    const servers = await startServers(supervisor, installation, dir, options);
    return { kind: 'native', ...servers, stop: () => supervisor.end() };
  } catch (error) {
    await supervisor.end();
    throw error;
  }
};
