import { cp, rm } from 'node:fs/promises';
import type { Stack } from '../../stack/stack.ts';

/** Copies of the data folder of a native immudb, as a backup makes them: taken and put back while it is stopped. */
export type DataCopies = {
  /** Stops the server, copies its data, starts it again. A later copy replaces an earlier one. */
  take(): Promise<void>;
  /** Kills the server, puts the copy in place of its data, starts it again. */
  restore(): Promise<void>;
  remove(): Promise<void>;
};

export const dataCopies = ({ server, dataDir }: Stack['immudb']): DataCopies => {
  if (dataDir === undefined) throw new Error('only the data folder of a native immudb can be copied');
  const copy = `${dataDir}-copy`;
  const replace = async (from: string, to: string): Promise<void> => {
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true });
  };
  return {
    take: async () => {
      await server.stop();
      await replace(dataDir, copy);
      await server.start();
    },
    restore: async () => {
      await server.kill();
      await replace(copy, dataDir);
      await server.start();
    },
    remove: () => rm(copy, { recursive: true, force: true }),
  };
};
