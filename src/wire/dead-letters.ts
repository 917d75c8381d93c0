import type { Config } from '../config.ts';
import { kafkaAppender } from '../consumers/kafka/appender.ts';
import { kafkaClient } from '../consumers/kafka/connection.ts';
import { recordReader } from '../consumers/kafka/record-reader.ts';
import { PipelineError } from '../errors.ts';
import { uuidV7Source } from '../producers/uuid-v7.ts';
import { deadLetterDesk, type DeadLetterDesk } from '../redrive/desk.ts';
import type { DeskPorts } from '../redrive/desk-ports.ts';
import { patientReads } from '../redrive/patient-reads.ts';
import { retrying } from '../sinks/with-retry.ts';
import { connectKafkaAdmin, connectLedger, requireLog } from './connect.ts';
import { recordDecoder } from './registry.ts';

/** An outside that is away for longer ends the command. */
const maxElapsedMs = 60_000;

type Closer = () => Promise<void>;

/** The desk of this configuration's ledger and topics. */
export const openDeadLetters = async (config: Config): Promise<DeadLetterDesk> => {
  const { ports, close } = await openDeskPorts(config);
  return deadLetterDesk(ports, config.redrive.operator, close);
};

/** What was opened is closed if the rest cannot be. */
export const openDeskPorts = async (config: Config): Promise<{ ports: DeskPorts; close: Closer }> => {
  const { topic, deadLetterTopic } = config.kafka;
  const closers: Closer[] = [];
  const close = async () => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    const ledger = await connectLedger(config);
    closers.push(() => ledger.close());
    const admin = await connectKafkaAdmin(config);
    closers.push(() => admin.close());
    const sourceLog = await requireLog(ledger, topic);
    const clusterId = await admin.clusterId();
    if (clusterId !== sourceLog.clusterId) throw otherCluster(topic, sourceLog.clusterId, clusterId);
    const kafka = kafkaClient(config.kafka);
    const reader = recordReader(kafka, deadLetterTopic);
    closers.push(() => reader.close());
    await reader.connect();
    const appender = kafkaAppender({ kafka, topic, tooLarge: 'REDRIVE_TOO_LARGE' });
    closers.push(() => appender.close());
    const retry = retrying({ maxElapsedMs });
    return {
      ports: {
        ledger: patientReads(ledger, retry),
        logs: await ledger.logs(),
        sourceLog,
        deadLetterLog: await requireLog(ledger, deadLetterTopic),
        read: reader.read,
        append: appender.append,
        partitions: await admin.partitions(topic),
        ends: () => admin.ends(topic),
        decoder: recordDecoder(config),
        retry,
        newId: uuidV7Source(),
        wallMs: Date.now,
        maxAttempts: config.redrive.maxAttempts,
        perSecond: config.redrive.perSecond,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

const otherCluster = (topic: string, covered: string, present: string) =>
  new PipelineError('LOG_REPLACED', `topic ${topic} was covered on cluster ${covered}, this is cluster ${present}`);
