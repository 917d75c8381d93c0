import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { Server } from './stack.ts';
import { supervisedServer } from './supervised-server.ts';
import type { Supervisor } from './supervised.ts';

type HttpServer = {
  readonly name: 'registry' | 'toxiproxy';
  readonly binary: string;
  /** A path that answers 200 once the server works. */
  readonly probe: string;
  readonly args: (port: number) => readonly string[];
};

export const isAnswering = async (url: string): Promise<boolean> =>
  (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;

/** Starts a server that speaks HTTP on one port and keeps nothing on disk. */
export const startHttpServer = async (
  supervisor: Supervisor,
  stackDir: string,
  { name, binary, probe, args }: HttpServer,
  signal?: AbortSignal,
): Promise<{ url: string; server: Server }> => {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const spec = {
    name,
    command: binary,
    args: args(port),
    logFile: join(stackDir, `${name}.log`),
    answers: () => isAnswering(url + probe),
  };
  const server = supervisedServer(supervisor, spec, signal);
  await server.start();
  return { url, server };
};
