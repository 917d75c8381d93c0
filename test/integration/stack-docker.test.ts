import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getContainerRuntimeClient } from 'testcontainers';
import { kafkaAdmin } from '../../src/consumers/kafka/admin.ts';
import { kafkaClient } from '../../src/consumers/kafka/connection.ts';
import { startDockerStack } from '../../stack/docker.ts';
import { channelCredentials } from '../../stack/immudb-security.ts';
import { immudbAnswers } from '../../stack/immudb-server.ts';
import type { Stack } from '../../stack/stack.ts';
import { hasContainerEngine } from '../../stack/start.ts';
import { until } from '../support/until.ts';

const hasEngine = await hasContainerEngine();
if (!hasEngine) process.stderr.write('SKIPPED, no container engine answers: the stack in containers is not tested\n');
const withEngine = hasEngine ? describe : describe.skip;

/** The same images are needed here as on any machine: Kafka's is pulled, ours are built once. */
withEngine('stack in containers', () => {
  let stack: Stack;
  beforeAll(async () => {
    const kafka = { secured: true };
    const immudb = { tls: 'mutual', signingKey: true } as const;
    stack = await startDockerStack({ kafka, immudb, registry: true, toxiproxy: true });
  }, 900_000);
  afterAll(async () => {
    await stack.stop();
  }, 60_000);

  const answers = async (): Promise<boolean> => {
    const { host, port, tls } = stack.immudb;
    return immudbAnswers(`${host}:${port}`, await channelCredentials(tls));
  };
  const isUp = (url: string): Promise<boolean> =>
    fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );

  test.each(['none', 'plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'Kafka lets in: %s',
    async (mechanism) => {
      const { brokers, secured } = stack.kafka;
      if (!secured) throw new Error('no secured listener');
      const { username, passwordFile, caFile } = secured;
      const isPlain = mechanism === 'none';
      const kafka = kafkaClient({
        brokers: isPlain ? brokers : secured.brokers,
        clientId: 'test',
        tls: { enabled: !isPlain, caFile, certFile: null, keyFile: null },
        sasl: { mechanism, username, passwordFile, tokenFile: null },
        requestTimeoutMs: 10_000,
      });
      const admin = kafkaAdmin(kafka);
      await admin.connect();
      expect(await admin.clusterId()).toHaveLength(22);
      await admin.close();
    },
    60_000,
  );

  test('a killed container comes back on its port; a paused one keeps silent', async () => {
    expect(await answers()).toBe(true);
    await stack.immudb.server.kill();
    expect(await answers()).toBe(false);
    await stack.immudb.server.start();
    expect(await answers()).toBe(true);
    await stack.immudb.server.pause();
    expect(await answers()).toBe(false);
    await stack.immudb.server.resume();
    expect(await answers()).toBe(true);
  }, 60_000);

  test('a proxy of toxiproxy stands between a client and immudb', async () => {
    const { url = '', ports = [], upstreams } = stack.toxiproxy ?? {};
    const proxy = { name: 'ledger', listen: `0.0.0.0:${ports[0] ?? 0}`, upstream: upstreams?.immudb };
    await fetch(`${url}/proxies`, { method: 'POST', body: JSON.stringify(proxy) });
    const channel = await channelCredentials(stack.immudb.tls);
    const through = (): Promise<boolean> => immudbAnswers(`${stack.immudb.host}:${ports[0] ?? 0}`, channel);
    expect(await through()).toBe(true);
    await fetch(`${url}/proxies/ledger`, { method: 'POST', body: JSON.stringify({ enabled: false }) });
    expect(await through()).toBe(false);
  }, 60_000);

  test('no password is in what the engine tells of Kafka', async () => {
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const password = await readFile(stack.kafka.secured?.passwordFile ?? '', 'utf8');
    const containers = await dockerode.listContainers();
    const told = await Promise.all(containers.map(({ Id }) => dockerode.getContainer(Id).inspect()));
    expect(told.length).toBeGreaterThan(3);
    expect(JSON.stringify(told)).not.toContain(password);
  });

  test('containers go when the process that started them is killed with -9', async () => {
    const script = new URL('../support/docker-parent.ts', import.meta.url).pathname;
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const { url, dir } = JSON.parse(line) as { url: string; dir: string };
    expect(existsSync(join(dir, 'immudb'))).toBe(true);
    expect(await isUp(`${url}/subjects`)).toBe(true);
    parent.kill('SIGKILL');
    const isGone = async (): Promise<boolean> => !existsSync(dir) && !(await isUp(`${url}/subjects`));
    await until(isGone, { timeoutMs: 15_000, what: 'the containers and their files to be gone' });
  }, 120_000);
});
