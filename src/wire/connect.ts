import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { kafkaAdmin, type KafkaAdmin } from '../consumers/kafka/admin.ts';
import { kafkaClient, type KafkaLog } from '../consumers/kafka/connection.ts';
import { PipelineError } from '../errors.ts';
import type { Checkpoint } from '../proofs/checkpoint.ts';
import { newestCheckpoint, type Wanted } from '../sinks/checkpoints/newest.ts';
import { openLedgerClient, type LedgerClient } from '../sinks/immudb/client.ts';
import { passwordFromFile } from '../sinks/immudb/credentials.ts';
import { newestLog, openLedger, type Ledger, type Log } from '../sinks/immudb/ledger.ts';
import { pinnedStateKey } from '../sinks/immudb/state-key.ts';
import type { LedgerOptions } from '../sinks/immudb/session.ts';
import type { TrustedStateOptions } from '../sinks/immudb/trusted-state.ts';
import { acceptedKeys, checkpointSources, withCheckpointTopic } from './checkpoints.ts';

/** How the configuration says that immudb is reached. */
export const ledgerOptions = ({ ledger }: Config): LedgerOptions => {
  const { host, port, database, username, passwordFile, tls, deadlineMs } = ledger;
  return {
    host,
    port,
    database,
    username,
    password: passwordFromFile(passwordFile),
    // Writes have a connection of their own.
    channels: ledger.channels + 1,
    deadlineMs,
    ...(tls.enabled && {
      tls: {
        ...(tls.caFile !== null && { caFile: tls.caFile }),
        ...(tls.certFile !== null && { certFile: tls.certFile }),
        ...(tls.keyFile !== null && { keyFile: tls.keyFile }),
        ...(tls.serverName !== null && { serverName: tls.serverName }),
      },
    }),
  };
};

export const connectLedgerClient = (config: Config): Promise<LedgerClient> => openLedgerClient(ledgerOptions(config));

/** The ledger of this configuration, proven to be it; rejects with what openLedger and openLedgerClient reject with. */
export const connectLedger = async (config: Config, options: TrustedStateOptions = {}): Promise<Ledger> => {
  const client = await connectLedgerClient(config);
  try {
    const { database, genesis, trustedStateFile, signingKeyFile, trustOnFirstUse } = config.ledger;
    const keys = acceptedKeys(config);
    const pins = {
      database,
      genesis: genesis ?? undefined,
      stateFile: trustedStateFile,
      trustOnFirstUse,
      ...(keys.length > 0 && { newestCheckpoint: (ledgerId: string) => newestOf(config, { keys, ledgerId }) }),
      ...(signingKeyFile !== null && { verifyState: stateKeyOf(signingKeyFile) }),
    };
    const ledger = await openLedger(client, pins, options);
    if (ledger.format.group === config.kafka.group) return ledger;
    await ledger.close();
    const whose = `the ledger in ${database} belongs to group ${ledger.format.group}, not ${config.kafka.group}`;
    throw new PipelineError('LEDGER_FOREIGN', whose);
  } catch (error) {
    await client.close();
    throw error;
  }
};

const newestOf = async (config: Config, wanted: Wanted): Promise<Checkpoint | null> =>
  await withCheckpointTopic(config, async (topic) => {
    const newest = await newestCheckpoint(checkpointSources(config, topic), wanted);
    return newest === null ? null : newest.checkpoint;
  });

/** What checks immudb's signatures with the key in this file. Throws CONFIG_INVALID. */
export const stateKeyOf = (file: string) => {
  try {
    return pinnedStateKey(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new PipelineError('CONFIG_INVALID', `ledger.signingKeyFile: ${file} holds no EC P-256 public key`, { cause });
  }
};

export const connectKafkaAdmin = async (config: Config, log?: KafkaLog): Promise<KafkaAdmin> => {
  const admin = kafkaAdmin(kafkaClient(config.kafka, log));
  await admin.connect();
  return admin;
};

/** The present life of this topic in the ledger. */
export const requireLog = async (ledger: Ledger, topic: string): Promise<Log> => {
  const log = newestLog(await ledger.logs(), topic);
  if (log !== null) return log;
  throw new PipelineError('LEDGER_FOREIGN', `the ledger knows no topic ${topic}`);
};
