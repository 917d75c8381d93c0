/** The real servers as processes of this machine, installed once by install.ts. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHttpServer } from './http-server.ts';
import { startImmudb } from './immudb-server.ts';
import { install, type Installation } from './install.ts';
import { startKafka } from './kafka-server.ts';
import type { Server, Stack, StackOptions } from './stack.ts';
import { startSupervisor, type Supervisor } from './supervised.ts';

const missing = (name: string): never => {
  throw new Error(`this stack was started without ${name}`);
};
const absentServer: Server = {
  name: 'immudb',
  pid: undefined,
  kill: () => missing('immudb'),
  stop: () => missing('immudb'),
  start: () => missing('immudb'),
  pause: () => missing('immudb'),
  resume: () => missing('immudb'),
};
/** What a stack without Kafka or immudb has in their place: nothing to connect to. */
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
  const settled = await Promise.allSettled([
    kafka && said('Kafka', startKafka(supervisor, installation, dir, kafka, signal)),
    immudb && said('immudb', startImmudb(supervisor, join(installation.bin, 'immudb'), dir, immudb, signal)),
    options.registry && said('registry', startHttpServer(supervisor, dir, registryServer(installation.bin), signal)),
    options.toxiproxy && said('toxiproxy', startHttpServer(supervisor, dir, toxiproxyServer(installation.bin), signal)),
  ]);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const [kafkaServer, immudbServer, registry, toxiproxy] = settled.map(
    (one) => (one as PromiseFulfilledResult<unknown>).value,
  ) as [false | Stack['kafka'], false | Stack['immudb'], Stack['registry'] | false, Stack['toxiproxy'] | false];
  return {
    kafka: kafkaServer || noKafka,
    immudb: immudbServer || noImmudb,
    ...(registry && { registry }),
    ...(toxiproxy && { toxiproxy }),
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
