import { expect, test } from '@jest/globals';
import { rightsAsCommands, pipelineRights, toAcl } from '../../../../src/consumers/kafka/rights.ts';
import { planTopics, topicProblems, type TopicFacts, type TopicPlan } from '../../../../src/consumers/kafka/topics.ts';

const names = { topic: 'events', deadLetterTopic: 'events.dlq' };
const plans = planTopics({ ...names, brokers: 5 });
const factsOf = (
  plan: TopicPlan,
  configs: Record<string, string> = {},
  replicas = plan.replicationFactor,
): TopicFacts => ({
  topic: plan.topic,
  partitions: plan.numPartitions,
  replicas,
  configs: new Map(
    Object.entries({ ...Object.fromEntries(plan.configEntries.map(({ name, value }) => [name, value])), ...configs }),
  ),
});
const problems = (source: Record<string, string>, deadLetters: Record<string, string> = {}) =>
  topicProblems(names, factsOf(plans.source, source), factsOf(plans.deadLetters, deadLetters)).map(
    ({ severity, topic, advice }) => `${severity} ${topic}: ${advice}`,
  );

test('what is planned has no problem', () => {
  expect(problems({})).toEqual([]);
  expect(plans.source).toMatchObject({ numPartitions: 8, replicationFactor: 3 });
  expect(planTopics({ ...names, brokers: 1 }).source.replicationFactor).toBe(1);
});

test.each([
  [{ 'cleanup.policy': 'compact,delete' }, {}, 'warn events: set cleanup.policy=delete'],
  [{ 'retention.ms': '3600000' }, {}, 'warn events: set retention.ms=2592000000'],
  [{ 'retention.bytes': '1000' }, {}, 'warn events: set retention.bytes=-1'],
  [{ 'min.insync.replicas': '1' }, {}, 'warn events: set min.insync.replicas=2'],
  [{ 'unclean.leader.election.enable': 'true' }, {}, 'warn events: set unclean.leader.election.enable=false'],
  [{}, { 'cleanup.policy': 'compact' }, 'error events.dlq: set cleanup.policy=delete'],
  [{}, { 'retention.ms': '604800000' }, 'warn events.dlq: set retention.ms=-1'],
  [{}, { 'retention.bytes': '0' }, 'warn events.dlq: set retention.bytes=-1'],
  [{}, { 'max.message.bytes': '1048588' }, 'error events.dlq: set max.message.bytes=1179660'],
  [{}, { 'max.message.bytes': '1048600' }, 'warn events.dlq: set max.message.bytes=1179660'],
])('%j %j: %s', (source, deadLetters, expected) => {
  expect(problems(source as Record<string, string>, deadLetters as Record<string, string>)).toEqual([expected]);
});

test('a topic that is not there, or has one replica', () => {
  expect(topicProblems(names, null, null).map(({ severity, topic }) => [severity, topic])).toEqual([
    ['error', 'events'],
    ['error', 'events.dlq'],
  ]);
  expect(topicProblems(names, factsOf(plans.source, {}, 1), null)).toContainEqual(
    expect.objectContaining({ severity: 'warn', problem: 'it has one replica: a lost disk loses it' }),
  );
});

test('rights become ACLs and commands, with names quoted', () => {
  const rights = pipelineRights({ ...names, group: "it's" });
  expect(toAcl('me', rights)).toHaveLength(rights.length);
  const commands = rightsAsCommands('me', rights);
  expect(commands).toHaveLength(4);
  expect(commands.join('\n')).toContain(`--operation Read --group 'it'\\''s'`);
});
