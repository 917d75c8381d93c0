/** Chooses between native servers and containers, so that one command works on most machines. */
import { howToInstall, missingTools } from './prerequisites.ts';
import type { Stack, StackOptions } from './stack.ts';

/** What the choice depends on; each is looked at only when it matters. */
export type Surroundings = {
  /** The value of IMMUTRAIL_STACK. */
  readonly wish: string | undefined;
  readonly missingTools: () => Promise<readonly string[]>;
  readonly hasContainerEngine: () => Promise<boolean>;
};

const neither = (missing: readonly string[]): string =>
  [
    'No real servers can be started on this machine: it needs either the tools for native servers, or Docker.',
    'Missing for native servers:',
    ...missing.map((line) => `  ${line}`),
    'To install them:',
    howToInstall(),
    'Or start Docker (or Podman with its Docker socket): no engine answered.',
  ].join('\n');

/**
 * `native` if its tools are there, else `docker` if an engine answers. Rejects with one message that lists what is
 * missing and how to install it. A wish is taken as it is: what it lacks is said when the stack starts.
 */
export const chooseStack = async ({ wish, ...machine }: Surroundings): Promise<Stack['kind']> => {
  if (wish === 'native' || wish === 'docker') return wish;
  if (wish !== undefined && wish !== '') throw new Error(`IMMUTRAIL_STACK is "${wish}"; it can be native or docker`);
  const missing = await machine.missingTools();
  if (missing.length === 0) return 'native';
  if (await machine.hasContainerEngine()) return 'docker';
  throw new Error(neither(missing));
};

/** True when testcontainers finds an engine that answers. */
export const hasContainerEngine = async (): Promise<boolean> => {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
};

/** Starts the servers in the way that this machine allows; `IMMUTRAIL_STACK` overrides the choice. */
export const startStack = async (options: StackOptions = {}): Promise<Stack> => {
  const wish = process.env['IMMUTRAIL_STACK'];
  const kind = await chooseStack({ wish, missingTools, hasContainerEngine });
  options.onProgress?.(kind === 'native' ? 'servers: native processes' : 'servers: containers');
  if (kind === 'native') return (await import('./native.ts')).startNativeStack(options);
  return (await import('./docker.ts')).startDockerStack(options);
};
