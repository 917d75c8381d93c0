import { readFile } from 'node:fs/promises';
import type { Authenticator, SASLOptions } from 'kafkajs';
import { z } from 'zod';

/** SASL OAUTHBEARER, RFC 7628, with a token from a file or by the client credentials grant, RFC 6749 section 4.4. */
export type TokenEndpoint = {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecretFile: string;
  readonly scope: string | null;
};

type TokenSource = () => Promise<string>;

/**
 * Without a token for now, the connection is of no use: its handshake is done and cannot be repeated. By the name of a
 * connection error kafkajs knows to make another one; `code` is what it is.
 */
const unavailable = (message: string, cause: unknown): Error =>
  Object.assign(new Error(message, { cause }), {
    name: 'KafkaJSConnectionError',
    code: 'OauthTokenUnavailable',
    retriable: true,
  });

const refused = (message: string): Error =>
  Object.assign(new Error(message), { name: 'OauthTokenRefused', retriable: false });

export const oauthBearer = (options: {
  readonly tokenFile: string | null;
  readonly tokenEndpoint?: TokenEndpoint | null;
}): SASLOptions => {
  const token = options.tokenEndpoint
    ? tokenFromEndpoint(options.tokenEndpoint)
    : tokenFromFile(options.tokenFile ?? '');
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: authenticator(token),
  } as unknown as SASLOptions;
};

/**
 * In place of kafkajs's own, which does not look at the answer: brokers refuse a token within a successful answer, and
 * kafkajs goes on as if it were logged in and then fails with an error that names something else.
 */
const authenticator =
  (token: TokenSource) =>
  ({ saslAuthenticate }: { saslAuthenticate: SaslAuthenticate }): Authenticator => ({
    authenticate: async () => {
      const value = await token();
      const refusal = await saslAuthenticate({ request: { encode: () => firstMessage(value) }, response });
      if (refusal !== '') throw refused(`the broker refused the token: ${refusal}`);
    },
  });

type SaslAuthenticate = (exchange: {
  readonly request: { encode: () => Promise<Buffer> };
  readonly response: typeof response;
}) => Promise<string>;

/** Client's first message, with its length before it, as kafkajs expects of a mechanism. */
const firstMessage = (token: string): Promise<Buffer> => {
  const message = Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Promise.resolve(Buffer.concat([length, message]));
};

const response = {
  decode: (bytes: Buffer): Promise<string> => Promise.resolve(bytes.subarray(4).toString('utf8')),
  parse: (answer: string): Promise<string> => Promise.resolve(answer),
};

/** Read anew at each login: whoever writes the file rotates it. */
export const tokenFromFile =
  (file: string): TokenSource =>
  async () => {
    const token = await readFile(file, 'utf8').catch((error: unknown) => {
      throw unavailable(`reading the token from ${file}`, error);
    });
    return token.trim();
  };

const answerSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().optional() });
const requestTimeoutMs = 10_000;
/** A token is renewed when a tenth of its life is left, so that a broker's clock may be ahead. */
const usableShare = 0.9;

/** One token for all connections, until it is near its end; logins at the same time share one request. */
const tokenFromEndpoint = (endpoint: TokenEndpoint, now: () => number = Date.now): TokenSource => {
  let token: { readonly value: string; readonly usableUntil: number } | null = null;
  let asking: Promise<string> | null = null;
  const ask = async (): Promise<string> => {
    const askedAt = now();
    const { access_token, expires_in } = await requestToken(endpoint);
    token = { value: access_token, usableUntil: askedAt + (expires_in ?? 0) * 1000 * usableShare };
    return access_token;
  };
  return () => {
    if (token && now() < token.usableUntil) return Promise.resolve(token.value);
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
};

const requestToken = async (endpoint: TokenEndpoint): Promise<z.infer<typeof answerSchema>> => {
  const { url, clientId, clientSecretFile, scope } = endpoint;
  const fail = (error: unknown): never => {
    throw unavailable(`asking ${url} for a token`, error);
  };
  const secret = (await readFile(clientSecretFile, 'utf8').catch(fail)).trim();
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: basic(clientId, secret), accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== null && { scope }) }),
    signal: AbortSignal.timeout(requestTimeoutMs),
    redirect: 'error',
  }).catch(fail);
  if (answer.status >= 500 || answer.status === 429) return fail(new Error(`status ${answer.status}`));
  if (!answer.ok) throw refused(`${url} refused to give a token: status ${answer.status}`);
  const parsed = answerSchema.safeParse(await answer.json().catch(fail));
  return parsed.success ? parsed.data : fail(new Error('the answer holds no access_token'));
};

/** RFC 6749 section 2.3.1: both are form-encoded first. */
const basic = (clientId: string, secret: string): string => {
  const [id, key] = [clientId, secret].map(encodeURIComponent);
  return `Basic ${Buffer.from(`${id ?? ''}:${key ?? ''}`).toString('base64')}`;
};
