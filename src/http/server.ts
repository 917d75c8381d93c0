import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import type { Metrics } from '../telemetry/metrics.ts';
import { problem, problemType } from './problem.ts';
import type { Readiness } from './readiness.ts';

export type HttpOptions = {
  /** Loopback unless the operator says otherwise: nothing here asks who is calling. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly readiness: Pick<Readiness, 'reasons' | 'warnings'>;
  /** An error that is ours, not the caller's. */
  readonly onError: (error: Error) => void;
};

export type HttpServer = {
  /** Such as http://127.0.0.1:9464 */
  readonly url: string;
  /** Takes no more requests, answers those under way; resolves when the port is free. Idempotent. */
  close(): Promise<void>;
};

/** Listens when it resolves; rejects when the port cannot be had. */
export const httpServer = async (options: HttpOptions): Promise<HttpServer> => {
  // A watcher asks every few seconds over a kept connection: those must not hold up the close.
  const server = fastify({ logger: false, bodyLimit: 1024, forceCloseConnections: 'idle', requestTimeout: 10_000 });
  answerProblems(server, options.onError);
  addRoutes(server, options);
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, close: () => server.close() };
};

const addRoutes = (server: FastifyInstance, { metrics, readiness }: HttpOptions): void => {
  server.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  // Alive as long as this answers, also while stopping: a restart would only lose the stop.
  server.get('/livez', () => ({ status: 'alive' }));
  server.get('/readyz', (_, reply) => {
    const reasons = readiness.reasons();
    const warnings = readiness.warnings();
    const isReady = reasons.length === 0;
    const status = isReady ? 'ready' : 'not ready';
    return reply.code(isReady ? 200 : 503).send({ status, reasons, ...(warnings.length > 0 && { warnings }) });
  });
};

const answerProblems = (server: FastifyInstance, onError: HttpOptions['onError']): void => {
  server.addHook('onSend', (_, reply, __, done) => {
    void reply.header('cache-control', 'no-store');
    done();
  });
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type(problemType)
      .send(problem(404, `There is nothing at ${request.method} ${request.url.slice(0, 200)}.`)),
  );
  server.setErrorHandler((error: FastifyError, _, reply) => {
    const status =
      error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : 500;
    // Of our own errors the caller learns nothing but that it was one.
    if (status === 500) onError(error);
    return reply
      .code(status)
      .type(problemType)
      .send(problem(status, status === 500 ? undefined : error.message));
  });
};
