import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeAuthority } from '../../stack/certificates.ts';
import { channelCredentials } from '../../stack/immudb-security.ts';
import { immudbAnswers } from '../../stack/immudb-server.ts';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startNativeStack({
    kafka: false,
    immudb: { tls: 'mutual', signingKey: true },
    registry: true,
    toxiproxy: true,
  });
}, 600_000);
afterAll(async () => {
  await stack.stop();
});

const address = (): string => `${stack.immudb.host}:${stack.immudb.port}`;
const answers = async (): Promise<boolean> => immudbAnswers(address(), await channelCredentials(stack.immudb.tls));

describe('native stack', () => {
  // immudb 1.11 lets a client without any certificate in, whatever --mtls promises; a foreign one it does refuse.
  test("immudb answers its authority's clients, nobody with a foreign certificate, nobody without TLS", async () => {
    expect(await answers()).toBe(true);
    const { caFile = '' } = stack.immudb.tls ?? {};
    const foreign = makeAuthority('another CA').issue('immutrail', ['localhost']);
    const ca = await readFile(caFile);
    const stranger = credentials.createSsl(ca, Buffer.from(foreign.key), Buffer.from(foreign.certificate));
    expect(await immudbAnswers(address(), stranger)).toBe(false);
    expect(await immudbAnswers(address(), credentials.createInsecure())).toBe(false);
  });

  test('the metrics of immudb come over TLS too', async () => {
    const ca = await readFile(stack.immudb.tls?.caFile ?? '');
    const status = await new Promise((resolve, reject) => {
      get(stack.immudb.metricsUrl, { ca }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(200);
  });

  test('no password is in any command line, and its file is for its owner alone', async () => {
    const password = await readFile(stack.immudb.passwordFile, 'utf8');
    expect(password.length).toBeGreaterThan(20);
    expect(execFileSync('ps', ['-axww', '-o', 'args='], { encoding: 'utf8' })).not.toContain(password);
    expect(execFileSync('ls', ['-l', stack.immudb.passwordFile], { encoding: 'utf8' })).toMatch(/^-rw-------/);
  });

  test('registry and toxiproxy speak their protocols', async () => {
    expect(await (await fetch(`${stack.registry?.url ?? ''}/subjects`)).json()).toEqual([]);
    expect(await (await fetch(`${stack.toxiproxy?.url ?? ''}/proxies`)).json()).toEqual({});
  });

  test('a killed server comes back on its port with its data', async () => {
    const before = stack.immudb.server.pid;
    await stack.immudb.server.kill();
    expect(stack.immudb.server.pid).toBeUndefined();
    expect(await answers()).toBe(false);
    await stack.immudb.server.start();
    expect(stack.immudb.server.pid).not.toBe(before);
    expect(await answers()).toBe(true);
  });

  test('a paused server keeps silent until it is resumed', async () => {
    await stack.immudb.server.pause();
    expect(await answers()).toBe(false);
    await stack.immudb.server.resume();
    expect(await answers()).toBe(true);
  });

  test('stop and start of a running or stopped server change nothing that is so already', async () => {
    await stack.immudb.server.stop();
    await stack.immudb.server.stop();
    await stack.immudb.server.start();
    const { pid } = stack.immudb.server;
    await stack.immudb.server.start();
    expect(stack.immudb.server.pid).toBe(pid);
  });

  test('a server that does not start is told with the last lines of its log; nothing is left', async () => {
    const failed = startNativeStack({ kafka: false, immudb: { flags: ['--no-such-flag'] } });
    await expect(failed).rejects.toThrow(/starting immudb: it ended at once[^]*unknown flag: --no-such-flag/);
    const left = (await readdir(tmpdir())).filter((name) => name.startsWith('immutrail-stack-'));
    const mine = left.filter((name) => existsSync(`${tmpdir()}/${name}/immudb/server.log`));
    const logs = await Promise.all(
      mine.map((name) => readFile(`${tmpdir()}/${name}/immudb/server.log`, 'utf8').catch(() => '')),
    );
    expect(logs.filter((log) => log.includes('no-such-flag'))).toEqual([]);
  });

  test('an abort ends a start that is under way', async () => {
    const signal = AbortSignal.timeout(500);
    await expect(startNativeStack({ immudb: false, signal })).rejects.toThrow(/abort/i);
  });
});

test('two brokers, one cluster: it goes on when the second is killed, and takes it back', async () => {
  const cluster = await startNativeStack({ kafka: { brokers: 2 }, immudb: false });
  try {
    expect(cluster.kafka.brokers).toHaveLength(2);
    const second = cluster.kafka.servers[1]!;
    await second.kill();
    await second.start();
    expect(second.pid).toBeGreaterThan(0);
  } finally {
    await cluster.stop();
  }
}, 300_000);
