import fastify from 'fastify';
import type { Readiness } from './readiness.ts';

export type HttpOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly readiness: Pick<Readiness, 'problems'>;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
};

export type HttpServer = {
  readonly url: string;
  /** Lets requests under way finish. Idempotent. */
  close(): Promise<void>;
};

/** RFC 9457. */
const problem = (status: number, title: string, detail: string) => ({ type: 'about:blank', status, title, detail });
const problemType = 'application/problem+json';

/**
 * `/livez`: the process turns. `/readyz`: it stores events now, else 503 with every reason. `/metrics`: Prometheus.
 * Rejects when the port cannot be had.
 */
export const startHttp = async ({ host, port, readiness, metrics }: HttpOptions): Promise<HttpServer> => {
  const app = fastify({ logger: false, forceCloseConnections: 'idle' });
  app.get('/livez', () => ({ status: 'live' }));
  app.get('/readyz', async (_request, reply) => {
    const reasons = readiness.problems();
    const status = reasons.length === 0 ? 'ready' : 'not_ready';
    return await reply.status(reasons.length === 0 ? 200 : 503).send({ status, reasons });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
  app.setNotFoundHandler((request, reply) => {
    const known = 'there are /livez, /readyz and /metrics';
    return reply.status(404).type(problemType).send(problem(404, 'Not Found', `no ${request.url}: ${known}`));
  });
  app.setErrorHandler((_error, _request, reply) =>
    reply.status(500).type(problemType).send(problem(500, 'Internal Server Error', 'see the log')),
  );
  const url = await app.listen({ host, port });
  return { url, close: () => app.close() };
};
