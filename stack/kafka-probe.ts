import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './kafka-properties.ts';

/** A Metadata request, version 1: its size, api key 3, version 1, correlation id 1, no client id, no topics. */
const metadataRequest = Buffer.from('0000000e0003000100000001ffff00000000', 'hex');

/** Asks a broker for the cluster's metadata and gives the number of live brokers. Rejects when nobody answers. */
export const liveBrokers = ({ host, ports }: Pick<Broker, 'host' | 'ports'>): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: ports.plain, host }).setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    let answer = Buffer.alloc(0);
    socket.on('connect', () => socket.write(metadataRequest));
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length < 12) return;
      resolve(answer.readInt32BE(8)); // after its size and the correlation id: the number of brokers
      socket.destroy();
    });
    socket.on('error', reject).on('close', () => reject(new Error('closed without an answer')));
  });

/** Every broker answers by now; resolves when each of them knows all the others. */
export const whenJoined = async (brokers: readonly Broker[], signal?: AbortSignal): Promise<void> => {
  const deadline = AbortSignal.any([AbortSignal.timeout(180_000), ...(signal ? [signal] : [])]);
  for (const broker of brokers)
    while ((await liveBrokers(broker)) < brokers.length) await sleep(100, undefined, { signal: deadline });
};
