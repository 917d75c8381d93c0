import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { nameOf } from './complaint.ts';
import type { Config } from './schema.ts';
import { settings, type Setting } from './settings.ts';

type Rule = (config: Config) => string | false;

/**
 * The longest that one write can hold a partition: the write itself, opening a new session after it failed, and
 * reading the ledger to find out what became of it, each up to its deadline.
 */
const worstWriteMs = (config: Config): number => config.batch.maxAgeMs + 3 * config.ledger.deadlineMs;

const timing: readonly Rule[] = [
  ({ kafka }) =>
    kafka.heartbeatIntervalMs > kafka.sessionTimeoutMs / 3 &&
    `kafka.heartbeatIntervalMs: is ${kafka.heartbeatIntervalMs}, but must be at most a third of kafka.sessionTimeoutMs (${kafka.sessionTimeoutMs})`,
  ({ kafka, batch }) =>
    batch.maxAgeMs > kafka.sessionTimeoutMs / 10 &&
    `batch.maxAgeMs: is ${batch.maxAgeMs}, but must be at most a tenth of kafka.sessionTimeoutMs (${kafka.sessionTimeoutMs})`,
  (config) =>
    config.kafka.rebalanceTimeoutMs <= worstWriteMs(config) &&
    `kafka.rebalanceTimeoutMs: is ${config.kafka.rebalanceTimeoutMs}, but must be above ${worstWriteMs(config)}, the longest that a write can take (batch.maxAgeMs + 3 × ledger.deadlineMs)`,
  ({ ledger }) =>
    ledger.backoffInitialMs > ledger.backoffMaxMs &&
    `ledger.backoffInitialMs: is ${ledger.backoffInitialMs}, but must be at most ledger.backoffMaxMs (${ledger.backoffMaxMs})`,
  ({ kafka }) =>
    kafka.requestTimeoutMs <= kafka.fetchMaxWaitMs &&
    `kafka.requestTimeoutMs: is ${kafka.requestTimeoutMs}, but must be above kafka.fetchMaxWaitMs (${kafka.fetchMaxWaitMs})`,
];

const sizes: readonly Rule[] = [
  ({ kafka }) =>
    kafka.fetchMaxBytesPerPartition > kafka.fetchMaxBytes &&
    `kafka.fetchMaxBytesPerPartition: is ${kafka.fetchMaxBytesPerPartition}, but must be at most kafka.fetchMaxBytes (${kafka.fetchMaxBytes})`,
  ({ kafka }) =>
    kafka.fetchMinBytes > kafka.fetchMaxBytes &&
    `kafka.fetchMinBytes: is ${kafka.fetchMinBytes}, but must be at most kafka.fetchMaxBytes (${kafka.fetchMaxBytes})`,
  ({ ledger, batch }) =>
    ledger.bytesPerSecond !== null &&
    ledger.bytesPerSecond < batch.maxBytes &&
    `ledger.bytesPerSecond: is ${ledger.bytesPerSecond}, but must be at least batch.maxBytes (${batch.maxBytes}), or one batch alone takes seconds`,
  ({ kafka }) =>
    kafka.topic === kafka.deadLetterTopic &&
    `kafka.deadLetterTopic: must be another topic than kafka.topic (${kafka.topic})`,
  ({ kafka, checkpoints }) =>
    [kafka.topic, kafka.deadLetterTopic].includes(checkpoints.topic) &&
    `checkpoints.topic: must be another topic than kafka.topic and kafka.deadLetterTopic (${checkpoints.topic})`,
];

const isScram = (mechanism: string): boolean => mechanism === 'plain' || mechanism.startsWith('scram');

const access: readonly Rule[] = [
  ({ kafka: { sasl } }) =>
    isScram(sasl.mechanism) &&
    (sasl.username === null || sasl.passwordFile === null) &&
    `kafka.sasl.mechanism: ${sasl.mechanism} needs kafka.sasl.username and kafka.sasl.passwordFile`,
  ({ kafka: { sasl } }) =>
    sasl.mechanism === 'oauthbearer' &&
    sasl.tokenFile === null &&
    'kafka.sasl.mechanism: oauthbearer needs kafka.sasl.tokenFile',
  ({ kafka: { sasl } }) =>
    sasl.mechanism === 'none' &&
    (sasl.username !== null || sasl.passwordFile !== null || sasl.tokenFile !== null) &&
    'kafka.sasl.mechanism: is none, but a user name, password or token is given: name the mechanism or drop them',
  ({ registry }) =>
    (registry.username === null) !== (registry.passwordFile === null) &&
    'registry.username and registry.passwordFile: either needs the other',
  ({ registry }) =>
    (registry.tls.certFile === null) !== (registry.tls.keyFile === null) &&
    'registry.tls.certFile and registry.tls.keyFile: either needs the other',
  ({ registry }) =>
    registry.url?.startsWith('https:') !== true &&
    Object.values(registry.tls).some((value) => value !== null) &&
    'registry.tls: files are given, but registry.url is not https',
  ({ registry }) =>
    registry.url === null &&
    registry.username !== null &&
    'registry.username: is given, but registry.url is not: name the registry or drop it',
  ...(['kafka', 'ledger'] as const).flatMap((group): Rule[] => [
    (config) =>
      (config[group].tls.certFile === null) !== (config[group].tls.keyFile === null) &&
      `${group}.tls.certFile and ${group}.tls.keyFile: either needs the other`,
    (config) =>
      !config[group].tls.enabled &&
      Object.values(config[group].tls).some((value) => typeof value === 'string') &&
      `${group}.tls.enabled: is false, but other settings of TLS are given: turn it on or drop them`,
  ]),
];

/** What only shows when settings are seen together, or with the files that they name. */
export const combinationProblems = (config: Config): string[] => [
  ...[...timing, ...sizes, ...access].flatMap((rule) => rule(config) || []),
  ...settings.flatMap((setting) => fileProblem(setting, config)),
  ...folderProblem('ledger.trustedStateFile', dirname(resolve(config.ledger.trustedStateFile))),
  ...(config.checkpoints.folder === null ? [] : folderProblem('checkpoints.folder', config.checkpoints.folder)),
];

const valueAt = (config: Config, { path }: Setting): unknown =>
  path.reduce<unknown>((here, name) => (here as Record<string, unknown>)[name], config);

const fileProblem = (setting: Setting, config: Config): string[] => {
  const given = valueAt(config, setting);
  if (!setting.file) return [];
  return [given].flat().flatMap((file) => (typeof file === 'string' ? oneFileProblem(setting, file) : []));
};

const oneFileProblem = (setting: Setting, file: string): string[] => {
  try {
    const isEmpty = readFileSync(file, 'utf8').trim() === '';
    return isEmpty ? [`${nameOf(setting)}: ${file} is empty`] : [];
  } catch (error) {
    return [
      `${nameOf(setting)}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    ];
  }
};

const folderProblem = (name: string, folder: string): string[] => {
  try {
    if (!statSync(folder).isDirectory()) return [`${name}: ${folder} is no folder`];
    accessSync(folder, constants.W_OK);
    return [];
  } catch (error) {
    return [`${name}: ${folder} is no folder to write in (${(error as NodeJS.ErrnoException).code ?? '?'})`];
  }
};
