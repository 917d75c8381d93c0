import type { Config } from '../config.ts';
import type { KafkaAdmin } from '../consumers/kafka/admin.ts';
import { PipelineError } from '../errors.ts';
import type { Ledger, Log } from '../sinks/immudb/ledger.ts';
import { requireLog } from './connect.ts';

/** Whether ledger and Kafka are those that belong together. */
export const inspectSite = async (config: Config, ledger: Ledger, admin: KafkaAdmin) => {
  const { topic, deadLetterTopic: dlq } = config.kafka;
  const isPublishing = config.checkpoints.signingKeyFiles.length > 0;
  const names = { topic, deadLetterTopic: dlq, ...(isPublishing && { checkpointTopic: config.checkpoints.topic }) };
  const problems = await admin.inspectTopics(names);
  const [worst] = problems.filter(({ severity }) => severity === 'error');
  if (worst !== undefined) {
    throw new PipelineError('KAFKA_TOPIC_UNSUITABLE', `topic ${worst.topic}: ${worst.problem}; ${worst.advice}`);
  }
  const log = await requireLog(ledger, topic);
  const clusterId = await admin.clusterId();
  requireCluster(log, clusterId);
  return {
    log,
    deadLetterLog: await requireLog(ledger, dlq),
    deadLetterPartitions: await admin.partitions(dlq),
    warnings: problems,
  };
};

const requireCluster = (log: Log, clusterId: string) => {
  if (log.clusterId === clusterId) return;
  const message = `topic ${log.topic} was covered on cluster ${log.clusterId}, this is cluster ${clusterId}`;
  throw new PipelineError('LOG_REPLACED', message);
};
