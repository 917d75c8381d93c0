import { seededRandom } from '../../../src/producers/random.ts';
import { kafkaLog, type SimulatedLog } from './kafka-log.ts';
import { virtualTime } from './virtual-time.ts';

/** The partitions of the topic from one making to its deletion, and the ledger's last transaction when it was made. */
export type TopicLife = { readonly logs: readonly SimulatedLog[]; readonly afterTx: bigint };

/** One seed's world: its size, its clock, its logs, how likely things go wrong, and what happened. */
export const newWorld = (seed: number) => {
  const random = seededRandom(seed);
  const time = virtualTime();
  const size = {
    partitions: random.between(1, 4),
    members: random.pick([1, 1, 2, 3]),
    records: random.pick([20, 60, 120, 250]),
    maxEvents: random.pick([3, 10, 40, 150, 300]),
    maxFetch: random.pick([2, 10, 70, 200]),
    chaosMs: random.pick([300, 1500, 4000]),
    isCompacted: random.chance(0.2),
    maxLoss: random.pick([0n, 5n, 1000n]),
  };
  /** Probability of a fault, each time that there could be one. */
  const faults = {
    ledger: random.pick([0, 0.03, 0.15]),
    kafka: random.pick([0, 0.03, 0.15]),
    letters: random.pick([0, 0.1]),
    members: random.pick([0, 0.3, 1]),
    logs: random.pick([0, 0.3]),
    /** The topic is deleted and made anew once. */
    replacement: random.chance(0.06),
  };
  const trace: string[] = [];
  let isChaos = true;
  const lives: TopicLife[] = [
    { logs: Array.from({ length: size.partitions }, (_, index) => kafkaLog(index, 0)), afterTx: 0n },
  ];
  const logs = () => lives.at(-1)!.logs;

  return {
    seed,
    random,
    time,
    size,
    faults,
    /** Broken promises, each in one sentence. None: all is well. */
    problems: [] as string[],
    trace,
    tell: (what: string) => {
      trace.push(`${time.now().toFixed(0).padStart(6)} ${what}`);
      if (trace.length > 4000) trace.splice(0, 2000);
    },
    log: (partition: number): SimulatedLog => logs()[partition]!,
    logs,
    lives: lives as readonly TopicLife[],
    replaceLogs: (afterTx: bigint) =>
      lives.push({ logs: logs().map((log) => kafkaLog(log.partition, log.life + 1)), afterTx }),
    isReplaced: () => lives.length > 1,
    /** Processes that ended for good, rightly. */
    halts: 0,
    chance: (probability: number) => isChaos && random.chance(probability),
    pause: () => (isChaos = false),
    resume: () => (isChaos = true),
    endChaos: () => (isChaos = false),
    isChaos: () => isChaos,
    /** As long as a call over the network takes; nothing at all now and then. */
    latency: () => time.wait(random.chance(0.2) ? 0 : random.between(1, isChaos && random.chance(0.05) ? 200 : 15)),
  };
};

export type World = ReturnType<typeof newWorld>;
