import { once } from 'node:events';
import { describeConfig, wantsColour, type Config } from '../config.ts';
import { asPipelineError, PipelineError } from '../errors.ts';
import { readiness } from '../http/readiness.ts';
import { httpServer, type HttpOptions } from '../http/server.ts';
import { lifecycle } from '../lifecycle.ts';
import { createLog } from '../log.ts';
import { telemetry } from '../telemetry.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { letHeapGrow } from './heap.ts';
import { startPipeline } from './run.ts';

/**
 * `immutrail run`: starts, waits for a signal or a halt, and stops step by step. Resolves with the exit code: 0 after a
 * signal, the error's own after a halt or a start that failed.
 */
export const runUntilStopped = async (config: Config, version: string, signal: AbortSignal): Promise<number> => {
  letHeapGrow();
  const log = createLog({ ...config.log, colour: wantsColour(process.stderr.isTTY) });
  const metrics = createMetrics({ ofProcess: true });
  const tell = telemetry({ log, metrics, version });
  const state = readiness(tell.readyChanged);
  const life = lifecycle({ telemetry: tell });
  try {
    const { host, port } = config.http;
    const onError = (err: Error) => log.error({ err }, 'answering a request failed');
    const start = () => listen({ host, port, readiness: state, metrics, onError });
    const http = await life.open('http', config.stop.closeMs, start, (server) => () => server.close());
    tell.started({ version, http: http.url, ...describeConfig(config) });
    const starting = startPipeline({
      config,
      telemetry: tell,
      lifecycle: life,
      kafkaLog: (level, message, fields) => log[level](fields, message),
      readiness: state,
    });
    const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
    // A signal during the start ends it: what is open by then is closed.
    starting.catch(() => undefined);
    const started = await Promise.race([starting, stopped.then(() => null)]);
    if (started !== null) await Promise.race([started.halted, stopped]);
    tell.stopping(String(signal.reason));
    return await stop();
  } catch (error) {
    const halt = asPipelineError(error, 'running the pipeline');
    tell.halted(halt);
    await stop();
    return halt.entry.exitCode;
  }

  async function stop(): Promise<number> {
    state.stopping();
    const failed = await life.stop();
    await new Promise<void>((resolve) => {
      log.flush(() => resolve());
    });
    return failed.size === 0 ? 0 : 1;
  }
};

const listen = async (options: HttpOptions) => {
  try {
    return await httpServer(options);
  } catch (error) {
    const where = `${options.host}:${options.port}`;
    throw new PipelineError('CONFIG_INVALID', `http.host and http.port: ${where} cannot be listened on`, {
      cause: error,
    });
  }
};
