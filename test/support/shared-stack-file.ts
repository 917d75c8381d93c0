/** What the stack that test files share consists of, and how one process tells others of it. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Server, Stack, StackOptions } from '../../stack/stack.ts';

export const sharedStackOptions = {
  // Members that a test kills are missed sooner, and compacted topics are compacted soon.
  kafka: { secured: true, properties: { 'group.min.session.timeout.ms': '1000', 'log.cleaner.backoff.ms': '200' } },
  registry: true,
  toxiproxy: true,
} satisfies StackOptions;

/** A server's functions are left out by JSON: other processes know addresses only. */
export const writeSharedStack = (file: string, stack: Stack): Promise<void> => writeFile(file, JSON.stringify(stack));

const hands = (name: string) => (): never => {
  throw new Error(`${name} is shared with other test files: a test that stops or hurts servers starts its own stack`);
};
const shared = ({ name, pid }: Server): Server => {
  const off = hands(name);
  return { name, pid, kill: off, stop: off, start: off, pause: off, resume: off };
};

/** The stack that was written there. Its servers refuse to be stopped or hurt; its `stop` does nothing. */
export const readSharedStack = async (file: string): Promise<Stack> => {
  const { kafka, immudb, registry, toxiproxy, ...stack } = JSON.parse(await readFile(file, 'utf8')) as Stack;
  return {
    ...stack,
    kafka: { ...kafka, servers: kafka.servers.map(shared) },
    immudb: { ...immudb, server: shared(immudb.server) },
    ...(registry && { registry: { ...registry, server: shared(registry.server) } }),
    ...(toxiproxy && { toxiproxy: { ...toxiproxy, server: shared(toxiproxy.server) } }),
    stop: () => Promise.resolve(),
  };
};
