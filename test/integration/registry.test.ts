import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { avroSchemaOf } from '../../src/schemas/catalogue/avro-schema.ts';
import { jsonSchemaOf } from '../../src/schemas/catalogue/json-schema.ts';
import { eventTypes } from '../../src/schemas/catalogue/services.ts';
import { registryClient, type RegistryClient, type RegistryOptions } from '../../src/schemas/registry/client.ts';
import { makeAuthority } from '../../stack/certificates.ts';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';

let stack: Stack;
let registry: RegistryClient;
beforeAll(async () => {
  stack = await startStack({ kafka: false, immudb: false, registry: true });
  registry = registryClient({ url: stack.registry?.url ?? '', timeoutMs: 5_000 });
}, 600_000);
afterAll(() => stack.stop());

const [received] = eventTypes.values();
const avroText = JSON.stringify(avroSchemaOf(received!));

describe('a registry', () => {
  test('takes the whole catalogue in both formats, and gives each schema back by its id', async () => {
    const ids = new Set<number>();
    for (const [type, event] of eventTypes) {
      const id = await registry.register(`a-${type}`, 'AVRO', JSON.stringify(avroSchemaOf(event)));
      expect(await registry.fetch(id)).toMatchObject({ kind: 'avro', type: { name: type } });
      const jsonId = await registry.register(`a-${type}.json`, 'JSON', JSON.stringify(jsonSchemaOf(event)));
      expect(await registry.fetch(jsonId)).toEqual({ kind: 'json' });
      ids.add(id).add(jsonId);
    }
    expect(ids.size).toBe(2 * eventTypes.size);
    const again = await registry.register('a-gateway.signal.received', 'AVRO', avroText);
    expect(ids.has(again)).toBe(true);
    expect(await registry.latest('a-gateway.signal.received')).toMatchObject({ id: again });
  });

  test('does not know an id, nor a subject', async () => {
    expect(await registry.fetch(2_000_000_000)).toEqual({ kind: 'unknown' });
    expect(await registry.latest('nobody')).toBeNull();
    expect(await registry.incompatibilities('nobody', 'AVRO', avroText)).toEqual([]);
  });

  test('that is down is an outage, for every call, and is asked again when it is back', async () => {
    const id = await registry.register('b', 'AVRO', avroText);
    await stack.registry?.server.kill();
    const outage = { code: 'REGISTRY_UNAVAILABLE', disposition: 'retry' };
    await expect(registry.fetch(id)).rejects.toMatchObject(outage);
    await expect(registry.latest('b')).rejects.toMatchObject(outage);
    await expect(registry.register('b', 'AVRO', avroText)).rejects.toMatchObject(outage);
    await stack.registry?.server.start();
    expect(await registry.fetch(id)).toEqual({ kind: 'unknown' }); // It keeps nothing: a development registry.
  });
});

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Something that answers in place of a registry. */
const answering = async (listener: RequestListener, more: Partial<RegistryOptions> = {}, server?: Server) => {
  const made = (server ?? createServer()).on('request', listener).listen(0, '127.0.0.1');
  servers.push(made);
  await new Promise((resolve) => made.once('listening', resolve));
  const { port } = made.address() as AddressInfo;
  const scheme = server === undefined ? 'http' : 'https';
  return registryClient({ url: `${scheme}://127.0.0.1:${port}`, timeoutMs: 1_000, ...more });
};

const status =
  (code: number, body: string): RequestListener =>
  (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(body);
  };
const schemaAnswer = (schema: string, schemaType?: string) => status(200, JSON.stringify({ schema, schemaType }));

describe('what answers in place of a registry', () => {
  test.each([
    ['a 404 of a proxy', status(404, '<html>no such page</html>'), 'REGISTRY_UNAVAILABLE'],
    ['a 404 of a gateway in JSON', status(404, '{"message":"no Route matched"}'), 'REGISTRY_UNAVAILABLE'],
    ['500', status(500, '{"error_code":50001,"message":"store"}'), 'REGISTRY_UNAVAILABLE'],
    ['429', status(429, 'slow down'), 'REGISTRY_UNAVAILABLE'],
    ['a page', status(200, '<html>hello</html>'), 'REGISTRY_UNAVAILABLE'],
    ['JSON of something else', status(200, '{"hello":1}'), 'REGISTRY_UNAVAILABLE'],
    ['nothing, ever', () => undefined, 'REGISTRY_UNAVAILABLE'],
    ['half an answer', (_: unknown, response) => void response.write('{"schema":'), 'REGISTRY_UNAVAILABLE'],
    ['a closed connection', (request) => void request.socket.destroy(), 'REGISTRY_UNAVAILABLE'],
    ['401', status(401, '{"error_code":401,"message":"no"}'), 'REGISTRY_CREDENTIALS'],
    ['403', status(403, 'no'), 'REGISTRY_CREDENTIALS'],
  ] as readonly (readonly [string, RequestListener, string])[])('%s', async (_name, listener, code) => {
    const client = await answering(listener);
    const began = performance.now();
    await expect(client.fetch(7)).rejects.toMatchObject({ code });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test.each([
    ['no JSON', schemaAnswer('{{{')],
    ['no Avro', schemaAnswer('{"type":"nonsense"}')],
    ['Protobuf', schemaAnswer('syntax = "proto3";', 'PROTOBUF')],
    ['more than a megabyte', schemaAnswer(JSON.stringify({ type: 'string', doc: 'x'.repeat(1_100_000) }))],
    ['without an end', status(200, `{"schema":"${'x'.repeat(9_000_000)}"}`)],
  ])('a schema that is %s is the fault of its records', async (_name, listener) => {
    expect(await (await answering(listener)).fetch(7)).toMatchObject({ kind: 'unusable' });
  });

  test('a JSON Schema is not run: neither its patterns nor what it refers to', async () => {
    const hostile = { pattern: '(a+)+$', $ref: 'http://127.0.0.1:1/elsewhere' };
    expect(await (await answering(schemaAnswer(JSON.stringify(hostile), 'JSON'))).fetch(7)).toEqual({ kind: 'json' });
  });

  test('gets the login of each moment', async () => {
    const seen: (string | undefined)[] = [];
    let password = 'one';
    const client = await answering(
      (request, response) => {
        seen.push(request.headers.authorization);
        schemaAnswer('"string"')(request, response);
      },
      { auth: () => ({ username: 'u', password }) },
    );
    await client.fetch(7);
    password = 'two';
    await client.fetch(7);
    expect(seen).toEqual(['one', 'two'].map((word) => `Basic ${Buffer.from(`u:${word}`).toString('base64')}`));
  });
});

describe('TLS', () => {
  const authority = makeAuthority('ca of the registry');
  const { certificate, key } = authority.issue('registry', ['127.0.0.1']);
  const secured = () => createTlsServer({ cert: certificate, key });

  test('with the authority that it was told', async () => {
    const client = await answering(schemaAnswer('"string"'), { tls: { ca: authority.certificate } }, secured());
    expect(await client.fetch(7)).toMatchObject({ kind: 'avro' });
  });

  test('refuses a certificate of somebody else', async () => {
    const ca = makeAuthority('another').certificate;
    const client = await answering(schemaAnswer('"string"'), { tls: { ca } }, secured());
    await expect(client.fetch(7)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });
});
