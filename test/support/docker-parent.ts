/** A process for tests to kill: starts a stack of two containers, prints where it is, and waits. */
import { dirname } from 'node:path';
import { startDockerStack } from '../../stack/docker.ts';

const stack = await startDockerStack({ kafka: false, registry: true });
console.log(JSON.stringify({ url: stack.registry?.url, dir: dirname(dirname(stack.immudb.passwordFile)) }));
setInterval(() => undefined, 1_000);
