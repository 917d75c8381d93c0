/**
 * Removes every container and the network of one stack when its parent is gone: `docker-guard.ts <stack id>`.
 * Standard input is a pipe that only the parent holds; its end is the only thing this process waits for.
 */
import { getContainerRuntimeClient } from 'testcontainers';

export const stackLabel = 'immutrail.stack';
export const networkName = (stackId: string): string => `immutrail-${stackId}`;

const removeStack = async (stackId: string): Promise<void> => {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const filters = { label: [`${stackLabel}=${stackId}`] };
  const containers = await dockerode.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true })));
  const networks = await dockerode.listNetworks({ filters: { name: [networkName(stackId)] } });
  await Promise.all(networks.map(({ Id }) => dockerode.getNetwork(Id).remove()));
};

const [, script, stackId] = process.argv;
if (script === import.meta.filename && stackId !== undefined) {
  process.stdin.resume().on('end', () => void removeStack(stackId));
}
