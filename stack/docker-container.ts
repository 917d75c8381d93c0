/** One server of the stack in a container, with fixed ports so that it is found again after a restart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GenericContainer, getContainerRuntimeClient, type StartedNetwork, type WaitStrategy } from 'testcontainers';
import { stackLabel } from './docker-guard.ts';
import type { Server } from './stack.ts';

export type ContainerSpec = {
  readonly name: string;
  readonly image: string;
  /** The same number inside and outside, or `[inside, outside]`. */
  readonly ports: readonly (number | readonly [number, number])[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Path in the container to text. */
  readonly files?: Readonly<Record<string, string>>;
  readonly answers: () => Promise<boolean>;
};

export type ContainerHost = {
  readonly stackId: string;
  readonly network: StartedNetwork;
  readonly signal: AbortSignal | undefined;
};

const startDeadlineMs = 180_000;
type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;
type Container = ReturnType<Engine['container']['getById']>;

const lastLines = async (container: Container): Promise<string> => {
  const bytes = await container.logs({ stdout: true, stderr: true, tail: 25, follow: false });
  return bytes.toString('utf8').replace(/[^\n\t\x20-\x7e]/g, '');
};

const whenAnswering = async (
  container: Container,
  { name, answers }: ContainerSpec,
  signal?: AbortSignal,
): Promise<void> => {
  const deadline = AbortSignal.any([AbortSignal.timeout(startDeadlineMs), ...(signal ? [signal] : [])]);
  while (!(await answers().catch(() => false))) {
    const { State } = await container.inspect();
    if (!State.Running || deadline.aborted) {
      signal?.throwIfAborted();
      const why = State.Running
        ? `no answer after ${startDeadlineMs / 1000} s`
        : `it ended at once (exit code ${State.ExitCode})`;
      throw new Error(`starting ${name}: ${why}. The last lines of its log:\n${await lastLines(container)}`);
    }
    await sleep(100);
  }
};

/** testcontainers waits for listening ports of its own accord, with a shell in the container; ours may have none. */
const waitFor = (spec: ContainerSpec, signal?: AbortSignal): WaitStrategy => {
  const strategy: WaitStrategy = {
    waitUntilReady: (container) => whenAnswering(container, spec, signal),
    withStartupTimeout: () => strategy,
    isStartupTimeoutSet: () => true,
    getStartupTimeout: () => startDeadlineMs,
  };
  return strategy;
};

const serverOf = (container: Container, spec: ContainerSpec, signal?: AbortSignal): Server => {
  const whenGone = async (act: Promise<unknown>): Promise<void> => {
    await act.catch(() => undefined); // it is not running: what was wanted
    await container.wait();
  };
  return {
    name: spec.name,
    pid: undefined,
    kill: () => whenGone(container.kill({ signal: 'SIGKILL' })),
    stop: () => whenGone(container.stop({ t: 60 })),
    start: async () => {
      if ((await container.inspect()).State.Running) return;
      await container.start();
      await whenAnswering(container, spec, signal);
    },
    pause: async () => {
      await container.pause();
    },
    resume: async () => {
      await container.unpause();
    },
  };
};

/** Resolves when the server in the container answers. */
export const startContainer = async (
  { stackId, network, signal }: ContainerHost,
  spec: ContainerSpec,
): Promise<Server> => {
  const contents = Object.entries(spec.files ?? {}).map(([target, content]) => ({ target, content }));
  const container = new GenericContainer(spec.image)
    .withLabels({ [stackLabel]: stackId })
    .withNetwork(network)
    .withNetworkAliases(spec.name)
    .withExposedPorts(
      ...spec.ports.map((port) => {
        const [inside, outside] = typeof port === 'number' ? [port, port] : port;
        return { container: inside, host: outside };
      }),
    )
    .withEnvironment({ ...spec.env })
    .withCopyContentToContainer(contents)
    .withWaitStrategy(waitFor(spec, signal));
  if (spec.entrypoint) container.withEntrypoint([...spec.entrypoint]);
  if (spec.command) container.withCommand([...spec.command]);
  const started = await container.start();
  return serverOf((await getContainerRuntimeClient()).container.getById(started.getId()), spec, signal);
};
