import { Agent, request as httpRequest } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avsc, { type Type } from 'avsc';
import { PipelineError } from '../../errors.ts';
import { avroOptions } from '../avro/reader-type.ts';

export type RegistryOptions = {
  readonly url: string;
  /** Asked for at each call, so that a password can be rotated. */
  readonly auth?: () => { readonly username: string; readonly password: string };
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
};

/** What the registry has under an id. `unusable`: it is there, and no record under it can be read. */
export type FetchedSchema =
  | { readonly kind: 'avro'; readonly type: Type }
  | { readonly kind: 'json' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unusable'; readonly why: string };

export type SchemaFormat = 'AVRO' | 'JSON';

/**
 * A Confluent-compatible registry. Each call has a deadline; what it rejects with is a PipelineError whose disposition
 * tells an outage from a refusal. Retrying and caching are not its job.
 */
export type RegistryClient = {
  /** `unknown` only if the registry itself says so twice: another 404 is an outage. */
  fetch(id: number): Promise<FetchedSchema>;
  /** Registers it, or finds it registered; resolves with its id. */
  register(subject: string, format: SchemaFormat, schema: string): Promise<number>;
  /** The newest version of a subject; null if there is none. */
  latest(subject: string): Promise<{ readonly id: number; readonly schema: string } | null>;
  /** Why a schema would not be taken as the next version of its subject; empty: it would, or the subject is new. */
  incompatibilities(subject: string, format: SchemaFormat, schema: string): Promise<readonly string[]>;
};

/** A schema of a megabyte is no schema; escaped in its answer it may have twice that. */
const maxSchemaLength = 1_048_576;
const maxAnswerBytes = 4 * maxSchemaLength;

/** The library retries by rules of its own, which all its instances share: here it never does. */
const noRetry = { retries: 0, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 0.1 };

/** One call: what the library does not tell of its answer. */
type Call = { raw?: unknown; readonly tooLarge: Promise<never>; readonly agent: Agent };

export const registryClient = (options: RegistryOptions): RegistryClient => {
  const ask = rest(options);

  const call = async <T>(doing: string, work: (registry: SchemaRegistry, made: Call) => Promise<T>): Promise<T> => {
    const made = newCall(options);
    const deadline = timer(options.timeoutMs, doing);
    try {
      const registry = new SchemaRegistry(
        {
          host: options.url,
          clientId: 'immutrail',
          retry: noRetry,
          agent: made.agent,
          middlewares: [watch(options, made)],
        },
        { [SchemaType.AVRO]: avroOptions() },
      );
      return await Promise.race([work(registry, made), deadline.passed, made.tooLarge]);
    } finally {
      deadline.stop();
      made.agent.destroy();
    }
  };

  const fetchSchema = async (id: number): Promise<FetchedSchema> => {
    const doing = `fetching schema ${id}`;
    let found: Call | undefined;
    try {
      return await call(doing, async (registry, made) => {
        found = made;
        const schema = await registry.getSchema(id);
        return fetched(made.raw, schema);
      });
    } catch (error) {
      if (error instanceof TooLarge) return { kind: 'unusable', why: error.message };
      if (statusOf(error) === 404) return (await isUnknown(id, doing)) ? { kind: 'unknown' } : await fetchAgain(doing);
      if (error instanceof PipelineError || statusOf(error) !== null || found?.raw === undefined) {
        throw registryError(error, doing);
      }
      if (rawSchemaOf(found.raw) !== null) return { kind: 'unusable', why: 'it is not a schema that can be read' };
      throw new PipelineError('REGISTRY_UNAVAILABLE', `${doing}: what answered is no registry`, { cause: error });
    }
  };

  /** Only the registry's own word counts: a proxy in front of it says 404 as well. */
  const isUnknown = async (id: number, doing: string): Promise<boolean> => {
    const { status, body } = await ask('GET', `/schemas/ids/${id}`, doing);
    if (status === 200) return false;
    if (isAbsent(status, body)) return true;
    throw answerError(status, body, doing);
  };

  const fetchAgain = (doing: string): Promise<never> =>
    Promise.reject(new PipelineError('REGISTRY_UNAVAILABLE', `${doing}: it said no and then yes`));

  const levelOf = async (subject: string, doing: string): Promise<COMPATIBILITY> => {
    const path = `/config/${encodeURIComponent(subject)}?defaultToGlobal=true`;
    const { body } = await ask('GET', path, doing);
    const told = memberOf(body, 'compatibilityLevel');
    return Object.values(COMPATIBILITY).find((level) => level === told) ?? COMPATIBILITY.BACKWARD;
  };

  return {
    fetch: fetchSchema,
    register: async (subject, format, schema) => {
      const doing = `registering ${subject}`;
      try {
        // The library refuses a subject whose compatibility is not what it is told: so it is told what it is.
        const compatibility = await levelOf(subject, doing);
        const type = format === 'AVRO' ? SchemaType.AVRO : SchemaType.JSON;
        const asked = { subject, compatibility, updateConfig: false };
        return (await call(doing, (registry) => registry.register({ type, schema }, asked))).id;
      } catch (error) {
        throw registryError(error, doing);
      }
    },
    latest: async (subject) => {
      const doing = `reading ${subject}`;
      const { status, body } = await ask('GET', `/subjects/${encodeURIComponent(subject)}/versions/latest`, doing);
      if (isAbsent(status, body)) return null;
      const [id, schema] = [memberOf(body, 'id'), memberOf(body, 'schema')];
      if (status !== 200 || typeof id !== 'number' || typeof schema !== 'string')
        throw answerError(status, body, doing);
      return { id, schema };
    },
    incompatibilities: async (subject, format, schema) => {
      const doing = `checking ${subject}`;
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
      const { status, body } = await ask('POST', path, doing, {
        schema,
        ...(format === 'JSON' && { schemaType: 'JSON' }),
      });
      if (isAbsent(status, body)) return [];
      if (status !== 200) throw answerError(status, body, doing);
      if (memberOf(body, 'is_compatible') === true) return [];
      const messages = memberOf(body, 'messages');
      return Array.isArray(messages) && messages.length > 0 ? messages.map(String) : ['it breaks readers or writers'];
    },
  };
};

/** Of the codes of the registry itself: no such subject, version, schema. */
const isAbsent = (status: number, body: unknown): boolean =>
  status === 404 && [40401, 40402, 40403].includes(Number(memberOf(body, 'error_code')));

const memberOf = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>)[name] : undefined;

/** The text of a schema in an answer; null if the answer holds none: then it is no registry that answered. */
const rawSchemaOf = (raw: unknown): string | null => {
  const schema = memberOf(raw, 'schema');
  return typeof schema === 'string' ? schema : null;
};

const fetched = (raw: unknown, schema: unknown): FetchedSchema => {
  const text = rawSchemaOf(raw);
  if (text === null) throw new PipelineError('REGISTRY_UNAVAILABLE', 'fetching a schema: the answer holds none');
  if (text.length > maxSchemaLength) return { kind: 'unusable', why: `it has more than ${maxSchemaLength} characters` };
  const type = memberOf(raw, 'schemaType') ?? 'AVRO';
  if (type === 'JSON') return { kind: 'json' };
  if (type !== 'AVRO') return { kind: 'unusable', why: 'it is neither Avro nor JSON Schema' };
  return avsc.Type.isType(schema)
    ? { kind: 'avro', type: schema as Type }
    : { kind: 'unusable', why: 'it is no Avro schema' };
};

class TooLarge extends Error {}

/** Closes the connection when an answer grows too large: the library would gather all of it. */
const newCall = ({ url, tls }: RegistryOptions): Call => {
  const { promise: tooLarge, reject } = Promise.withResolvers<never>();
  tooLarge.catch(() => undefined);
  const agent = url.startsWith('https:') ? new TlsAgent({ keepAlive: false, ...tls }) : new Agent({ keepAlive: false });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...given) => {
    const socket = connect(...given) as Socket;
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxAnswerBytes) return;
      reject(new TooLarge(`its answer has more than ${maxAnswerBytes} bytes`));
      socket.destroy();
    });
    return socket;
  };
  return { tooLarge, agent };
};

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>[number];

/**
 * Adds the login and the time-out to each request, and keeps what came back. JSON Schemas are not compiled: their
 * patterns are code of somebody else's, and what a payload must be the catalogue says.
 */
const watch =
  (options: RegistryOptions, call: Call): Middleware =>
  () => ({
    prepareRequest: async (next) => {
      const request = await next();
      return request.enhance({ timeout: options.timeoutMs, ...(options.auth && { auth: options.auth() }) });
    },
    response: async (next) => {
      const response = await next();
      const data: unknown = response.data();
      if (!response.request().url().includes('/schemas/ids/')) return response;
      call.raw = data;
      const isAvro = (memberOf(data, 'schemaType') ?? 'AVRO') === 'AVRO';
      const isShort = (rawSchemaOf(data)?.length ?? 0) <= maxSchemaLength;
      if (isAvro && isShort) return response;
      return response.enhance({ rawData: JSON.stringify({ schemaType: 'JSON', schema: '{}' }) });
    },
  });

const timer = (ms: number, doing: string) => {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  passed.catch(() => undefined);
  const late = () => reject(new PipelineError('REGISTRY_UNAVAILABLE', `${doing}: no answer within ${ms} ms`));
  const timeout = setTimeout(late, ms);
  return { passed, stop: () => clearTimeout(timeout) };
};

const statusOf = (error: unknown): number | null => {
  const status = memberOf(error, 'status');
  return typeof status === 'number' ? status : null;
};

/** The library says status 400 where it got no answer at all; no registry says it of a request of ours. */
const registryError = (error: unknown, doing: string): PipelineError => {
  if (error instanceof PipelineError) return error;
  const status = statusOf(error);
  const said = error instanceof Error ? error.message : String(error);
  if (status === null && !(error instanceof TooLarge))
    return new PipelineError('UNEXPECTED', `${doing}: ${said}`, { cause: error });
  return errorOf(status ?? 0, said, doing, error);
};

const answerError = (status: number, body: unknown, doing: string): PipelineError =>
  errorOf(status, typeof body === 'string' ? body : JSON.stringify(body ?? null), doing);

const errorOf = (status: number, said: string, doing: string, cause?: unknown): PipelineError => {
  const message = `${doing}: status ${status}: ${said.slice(0, 500)}`;
  const options = cause === undefined ? {} : { cause };
  if (status === 401 || status === 403) return new PipelineError('REGISTRY_CREDENTIALS', message, options);
  if (status === 409 || status === 422) return new PipelineError('REGISTRY_REFUSED', message, options);
  return new PipelineError('REGISTRY_UNAVAILABLE', message, options);
};

type Answer = { readonly status: number; readonly body: unknown };

/** The calls that the library does not make, or does not tell enough of. */
const rest =
  (options: RegistryOptions) =>
  async (method: 'GET' | 'POST', path: string, doing: string, sent?: unknown): Promise<Answer> => {
    const call = newCall(options);
    const deadline = timer(options.timeoutMs, doing);
    try {
      return await Promise.race([exchange(options, call.agent, method, path, sent), deadline.passed, call.tooLarge]);
    } catch (error) {
      if (error instanceof PipelineError) throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new PipelineError('REGISTRY_UNAVAILABLE', `${doing}: ${said}`, { cause: error });
    } finally {
      deadline.stop();
      call.agent.destroy();
    }
  };

const exchange = (
  options: RegistryOptions,
  agent: Agent,
  method: string,
  path: string,
  sent: unknown,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const login = options.auth?.();
    const contentType = 'application/vnd.schemaregistry.v1+json';
    const start = options.url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = start(
      `${options.url.replace(/\/+$/, '')}${path}`,
      {
        method,
        agent,
        headers: { accept: contentType, ...(sent !== undefined && { 'content-type': contentType }) },
        ...(login && { auth: `${login.username}:${login.password}` }),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(sent === undefined ? undefined : JSON.stringify(sent));
  });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
