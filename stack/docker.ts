/** The real servers in containers, by testcontainers, behind the same interface as the native ones. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getContainerRuntimeClient, Network } from 'testcontainers';
import { allOrNothing, noImmudb, noKafka } from './absent.ts';
import { networkName } from './docker-guard.ts';
import {
  startDockerImmudb,
  startDockerKafka,
  startDockerRegistry,
  startDockerToxiproxy,
  type DockerHost,
} from './docker-servers.ts';
import type { Stack, StackOptions } from './stack.ts';

/** Resolves when every container of the stack and its files are removed. Idempotent. */
type EndStack = () => Promise<void>;

/** The stack's own cleaner does what Ryuk would do, without a further image and without privileges. */
const startGuard = (stackId: string, dir: string): EndStack => {
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'docker-guard.ts'), stackId, dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => guard.on('close', () => resolve()));
  guard.stdin.on('error', () => undefined); // the guard died: 'close' tells
  return () => {
    guard.stdin.end();
    return ended;
  };
};

const startServers = async (docker: DockerHost, options: StackOptions): Promise<Omit<Stack, 'kind' | 'stop'>> => {
  const { kafka = {}, immudb = {} } = options;
  const [kafkaServer, immudbServer, registry, toxiproxy] = await allOrNothing([
    kafka ? startDockerKafka(docker, kafka) : noKafka,
    immudb ? startDockerImmudb(docker, immudb) : noImmudb,
    options.registry ? startDockerRegistry(docker) : undefined,
    options.toxiproxy ? startDockerToxiproxy(docker) : undefined,
  ]);
  const upstreams = { kafka: kafkaServer.servers.map(({ name }) => `${name}:9092`), immudb: 'immudb:3322' };
  return {
    kafka: kafkaServer,
    immudb: immudbServer,
    ...(registry && { registry }),
    ...(toxiproxy && { toxiproxy: { ...toxiproxy, upstreams } }),
  };
};

/**
 * Builds the images that are missing, starts the containers and resolves when all servers answer. They and their
 * network are removed when this process ends, even if it is killed. Ports are published on all addresses of this
 * machine, as testcontainers does: the servers have random passwords, but keep them for tests.
 */
export const startDockerStack = async (options: StackOptions = {}): Promise<Stack> => {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const { info } = await getContainerRuntimeClient();
  const host = info.containerRuntime.host === 'localhost' ? '127.0.0.1' : info.containerRuntime.host;
  const stackId = randomBytes(6).toString('hex');
  const dir = await mkdtemp(join(tmpdir(), 'immutrail-docker-'));
  const stop = startGuard(stackId, dir);
  try {
    const network = await new Network({ nextUuid: () => networkName(stackId) }).start();
    const { signal, onProgress } = options;
    const servers = await startServers({ stackId, network, dir, host, signal, onProgress }, options);
    return { kind: 'docker', ...servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
