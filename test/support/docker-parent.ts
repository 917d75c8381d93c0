/** A process for tests to kill: starts a registry in a container, prints its address, and waits. */
import { startDockerStack } from '../../stack/docker.ts';

const stack = await startDockerStack({ kafka: false, immudb: false, registry: true });
console.log(stack.registry?.url);
setInterval(() => undefined, 1_000);
