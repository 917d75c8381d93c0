/**
 * Removes every container, the network and the files of one stack when its parent is gone:
 * `docker-guard.ts <stack id> <folder>`.
 * Standard input is a pipe that only the parent holds; its end is the only thing this process waits for.
 */
import { rmSync } from 'node:fs';
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

const [, script, stackId, folder] = process.argv;
if (script === import.meta.filename && stackId !== undefined && folder !== undefined) {
  process.stdin.resume().on('end', () => {
    rmSync(folder, { recursive: true, force: true });
    void removeStack(stackId);
  });
}
