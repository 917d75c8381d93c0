import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { conditions, readiness, type Readiness } from '../../../src/http/readiness.ts';
import { httpServer, type HttpServer } from '../../../src/http/server.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

let server: HttpServer;
let ready: Readiness;
let metrics: { text: () => Promise<string>; contentType: string };
const errors: Error[] = [];

beforeEach(async () => {
  errors.length = 0;
  ready = readiness(() => undefined);
  metrics = { ...createMetrics({ ofProcess: true }) };
  server = await httpServer({
    host: '127.0.0.1',
    port: 0,
    metrics: { text: () => metrics.text(), contentType: metrics.contentType },
    readiness: ready,
    onError: (error) => void errors.push(error),
  });
});
afterEach(() => server.close());

const get = async (path: string, init?: RequestInit) => {
  const answer = await fetch(server.url + path, init);
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
};

describe('http', () => {
  test('/metrics has ours and those of the process', async () => {
    const { status, type, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(type).toContain('version=0.0.4');
    expect(text).toContain('# TYPE immutrail_stored_total counter');
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });

  test('/readyz says why not, then ready; /livez stays 200 while stopping', async () => {
    for (const condition of conditions.slice(1)) ready.meet(condition);
    const before = await get('/readyz');
    expect(before.status).toBe(503);
    expect(JSON.parse(before.text)).toEqual({ status: 'not ready', reasons: [`${conditions[0]}: not known yet`] });
    ready.meet(conditions[0]);
    expect(await get('/readyz')).toMatchObject({ status: 200, text: '{"status":"ready","reasons":[]}' });
    ready.stopping();
    expect((await get('/readyz')).status).toBe(503);
    expect((await get('/livez')).status).toBe(200);
  });

  test('what is not there is a problem (RFC 9457)', async () => {
    const { status, type, text } = await get('/nowhere');
    expect([status, type]).toEqual([404, 'application/problem+json; charset=utf-8']);
    expect(JSON.parse(text)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is nothing at GET /nowhere.',
    });
    expect((await get('/livez', { method: 'DELETE' })).status).toBe(404);
  });

  test('an error of ours is told to us and not to the caller', async () => {
    metrics.text = () => Promise.reject(new Error('secret inside'));
    const { status, type, text } = await get('/metrics');
    expect([status, type]).toEqual([500, 'application/problem+json; charset=utf-8']);
    expect(text).not.toContain('secret');
    expect(errors.map(({ message }) => message)).toEqual(['secret inside']);
  });

  test('a body that is too large is the fault of the caller', async () => {
    const big = { method: 'POST', body: 'x'.repeat(2000), headers: { 'content-type': 'text/plain' } };
    expect((await get('/livez', big)).status).toBeGreaterThanOrEqual(400);
    expect(errors).toEqual([]);
  });

  test('a port that is taken is an error at once', async () => {
    const port = Number(new URL(server.url).port);
    const taken = httpServer({ host: '127.0.0.1', port, metrics, readiness: ready, onError: () => undefined });
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('close frees the port although a watcher keeps its connection, and can be called twice', async () => {
    await get('/livez');
    await server.close();
    await server.close();
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
  });
});
