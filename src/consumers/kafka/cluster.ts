import type { Kafka } from 'kafkajs';
import type { StandIn } from './fetch-response.ts';

/**
 * kafkajs's own view of a cluster, under what its admin offers: that lists offsets with one isolation level only, and
 * cannot read a single record. Taken from the client by the description of a private symbol; patches.ts aside, this is
 * the only such place.
 */
export type Cluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(of: { readonly nodeId: number }): Promise<Broker>;
};

export type Broker = {
  listOffsets(request: {
    readonly replicaId: -1;
    readonly isolationLevel: IsolationLevel;
    readonly topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: readonly { partitions: readonly { partition: number; offset: string }[] }[] }>;
  fetch(request: {
    readonly isolationLevel: IsolationLevel;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: readonly { partitions: readonly { messages: readonly StandIn[] }[] }[] }>;
};

/** 0 counts what open transactions wrote, 1 ends before it. */
export type IsolationLevel = 0 | 1;
export const readUncommitted = 0;
export const readCommitted = 1;

const metadataMaxAgeMs = 30_000;

/** Opens no connection yet. */
export const clusterOf = (kafka: Kafka): Cluster => {
  const symbol = Object.getOwnPropertySymbols(kafka).find((one) => one.description === 'private:Kafka:createCluster');
  if (!symbol) throw new Error('this kafkajs has no private:Kafka:createCluster');
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol];
  if (!create) throw new Error('this kafkajs cannot create a cluster');
  return create({ metadataMaxAge: metadataMaxAgeMs, allowAutoTopicCreation: false });
};
