import kafkajs, { type AclEntry } from 'kafkajs';

/** Least rights of the users of Kafka, as data: created with the admin, or printed as commands. */
export type Right = {
  readonly operation: 'Read' | 'Write' | 'Describe' | 'DescribeConfigs';
  readonly resource: 'topic' | 'group';
  readonly name: string;
};

/** What `immutrail run` needs. An idempotent producer needs Write on its topic only (Kafka 2.8 and later). */
export const pipelineRights = (names: {
  readonly topic: string;
  readonly deadLetterTopic: string;
  readonly group: string;
  /** Left out: no checkpoints are published. */
  readonly checkpointTopic?: string;
}): readonly Right[] => [
  ...(names.checkpointTopic === undefined ? [] : checkpointRights(names.checkpointTopic)),
  { operation: 'Read', resource: 'topic', name: names.topic },
  { operation: 'Describe', resource: 'topic', name: names.topic },
  { operation: 'DescribeConfigs', resource: 'topic', name: names.topic },
  { operation: 'Write', resource: 'topic', name: names.deadLetterTopic },
  { operation: 'Describe', resource: 'topic', name: names.deadLetterTopic },
  { operation: 'DescribeConfigs', resource: 'topic', name: names.deadLetterTopic },
  { operation: 'Read', resource: 'group', name: names.group },
];

const checkpointRights = (name: string): readonly Right[] =>
  (['Read', 'Write', 'Describe', 'DescribeConfigs'] as const).map((operation) => ({
    operation,
    resource: 'topic',
    name,
  }));

/** What a service needs that publishes events. */
export const producerRights = (topic: string): readonly Right[] => [
  { operation: 'Write', resource: 'topic', name: topic },
  { operation: 'Describe', resource: 'topic', name: topic },
];

export const toAcl = (user: string, rights: readonly Right[]): AclEntry[] => {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
  const operations = {
    Read: AclOperationTypes.READ,
    Write: AclOperationTypes.WRITE,
    Describe: AclOperationTypes.DESCRIBE,
    DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  };
  return rights.map(({ operation, resource, name }) => ({
    principal: `User:${user}`,
    host: '*',
    operation: operations[operation],
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
    resourceName: name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
  }));
};

/**
 * Commands of Kafka's own tools that make a SCRAM user (kafkajs cannot) with these rights. The password is asked for by
 * the shell, so that it is in no history; Kafka's tool takes it as an argument only: run it on a broker's machine.
 */
export const rightsAsCommands = (user: string, rights: readonly Right[]): readonly string[] => [
  `read -rs PASSWORD && kafka-configs.sh --bootstrap-server "$BROKERS" --command-config admin.properties --alter ` +
    `--entity-type users --entity-name ${quote(user)} --add-config "SCRAM-SHA-512=[password=$PASSWORD]"`,
  ...[...Map.groupBy(rights, ({ resource, name }) => `--${resource} ${quote(name)}`)].map(
    ([resource, group]) =>
      `kafka-acls.sh --bootstrap-server "$BROKERS" --command-config admin.properties --add ` +
      `--allow-principal ${quote(`User:${user}`)} ${group.map(({ operation }) => `--operation ${operation}`).join(' ')} ${resource}`,
  ),
];

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
