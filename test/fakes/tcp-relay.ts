import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A port that passes bytes on to another one, and can be hurt like a network. */
export type TcpRelay = {
  readonly port: number;
  /** New connections go to this port from now on. */
  readonly target: (port: number) => void;
  /** Cuts every connection, as a killed peer does. */
  readonly drop: () => void;
  /** From now on the present connections carry nothing, without a word; new ones work. */
  readonly blackhole: () => void;
  /** From now on the present connections carry what clients send, but no answers; new ones work. */
  readonly swallowAnswers: () => void;
  /** Connections made since the start. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

export const startTcpRelay = async (): Promise<TcpRelay> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  let targetPort = 0;
  let accepted = 0;
  const server = createServer((near) => {
    accepted += 1;
    const far = connect(targetPort, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) socket.setNoDelay(true);
    near.pipe(far).pipe(near);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => pairs.forEach(([near, far]) => (near.destroy(), far.destroy()));
  return {
    port: (server.address() as AddressInfo).port,
    target: (port) => (targetPort = port),
    connections: () => accepted,
    drop,
    blackhole: () => {
      for (const socket of [...pairs].flat()) socket.unpipe().resume();
    },
    swallowAnswers: () => {
      for (const [near, far] of pairs) far.unpipe(near).resume();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      drop();
      await closed;
    },
  };
};
