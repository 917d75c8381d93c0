import { rootHere } from '../root-here.ts';
import { makeLedger, acceptGap } from '../../../src/sinks/immudb/acts.ts';
import { markKey } from '../../../src/sinks/immudb/format/keys.ts';
import { decodeMark, type Mark } from '../../../src/sinks/immudb/format/mark-value.ts';
import { immudbSink } from '../../../src/sinks/immudb/sink.ts';
import { requireSameLog } from '../../../src/pipeline/survey.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { Outcome, Sink } from '../../../src/sinks/sink.ts';
import type { KafkaRecord } from '../../../src/schemas/record.ts';
import { decode } from '../../../src/schemas/decode.ts';
import { audit } from './audit.ts';
import { processGate } from './gate.ts';
import { simulatedGroup } from './group.ts';
import { startInstance, type Instance, type Site } from './instance.ts';
import type { SimulatedLog } from './kafka-log.ts';
import { ledgerServer, simulatedClient, simulatedLedger, type LedgerServer } from './ledger-server.ts';
import { letterBox } from './letters.ts';
import { producer, type Producer } from './producer.ts';
import { newWorld, type World } from './world.ts';

type Simulated = {
  readonly problems: readonly string[];
  readonly trace: readonly string[];
  readonly transactions: number;
  readonly stored: number;
  readonly virtualMs: number;
};

/** Longest time, in the simulation, until all is covered once nothing goes wrong any more. */
const calmMs = 120_000;

/** One run of the pipeline in a world of chance: the same seed gives the same run. */
const simulate = async (seed: number): Promise<Simulated> => {
  const world = newWorld(seed);
  const made = producer(world);
  const site = await found(world, made);
  const crew = hiring(site);
  crew.fill();
  unleash(site, made, crew);
  await world.time.run(() => world.problems.length > 0, world.time.now() + world.size.chaosMs);
  world.endChaos();
  world.tell('calm');
  crew.fill();
  if (world.isReplaced()) goOnProducing(world, made);
  const isDone = () => world.problems.length > 0 || isSettled(site, crew);
  if (!(await world.time.run(isDone, world.time.now() + calmMs))) world.problems.push(`never ends: ${stateOf(site)}`);
  await crew.stop();
  const { lives, size } = world;
  const told = { lives, isCompacted: size.isCompacted, letters: site.letters };
  const { problems, stored } = audit(site.server.database.chain.txs, told);
  world.problems.push(...problems, ...wrongLetters(site, made));
  return {
    problems: world.problems,
    trace: world.trace,
    transactions: site.server.database.chain.txs.length,
    stored: stored.size,
    virtualMs: world.time.now(),
  };
};

/** Runs the world until this is settled. */
const settled = async <T>(world: World, work: Promise<T>): Promise<T> => {
  let isOver = false;
  work.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  if (await world.time.run(() => isOver, world.time.now() + 60_000)) return await work;
  throw new Error('does not settle');
};

/** A ledger that holds a few events of another log, and a topic. */
const found = async (world: World, producer: Producer): Promise<Site> => {
  const server = ledgerServer(world);
  const client = simulatedClient(server, processGate(world.time));
  world.pause();
  const settings = { maxTxEntries: 1024, maxKeyLen: 1024, maxValueLen: 33_554_432, embeddedValues: false };
  const topics = ['events', 'events.dlq', 'old'];
  const made = await settled(
    world,
    makeLedger(client, {
      ...{ database: 'sim', group: 'group', clusterId: 'cluster', topics, by: 'test', settings, now: new Date(0) },
    }),
  );
  const ledger = simulatedLedger(client, made);
  const limits = { maxBytes: 1_000_000 };
  const logs = { source: 3, deadLetters: 2 };
  const sink = immudbSink({
    ledger,
    logs,
    limits,
    writerId: 'old',
    deadlineMs: 100,
    maxUnexplained: 0,
    rootOf: rootHere,
  });
  await settled(world, storeSome(sink, producer, world.random.between(1, 6)));
  world.resume();
  const coverage = (partition: number) => markOf(server, partition)?.next ?? null;
  return { world, server, made, letters: letterBox(world), group: simulatedGroup(world), coverage };
};

const storeSome = async (sink: Sink, producer: Producer, count: number): Promise<void> => {
  await sink.open([0]);
  const outcomes = Array.from({ length: count }, (_, offset): Outcome => {
    const { value } = producer.fresh();
    const decoded = decode(value);
    if (!decoded.accepted) throw new Error(decoded.message);
    const record: KafkaRecord = {
      ...{
        partition: 0,
        offset: BigInt(offset),
        timestamp: 0n,
        timestampType: 'create',
        key: null,
        value,
        headers: [],
      },
    };
    return { kind: 'stored', record, facts: decoded.facts, json: decoded.json };
  });
  const span = { partition: 0, first: 0n, next: BigInt(count), outcomes, gaps: [], last: null, unchecked: false };
  await sink.commit(await sink.compose({ spans: [span] }, () => Promise.resolve()));
};

const markOf = ({ database }: LedgerServer, partition: number): Mark | null => {
  const key = markKey(1, partition);
  const [entry] = database.getAll([Buffer.from(key)]);
  return entry === undefined ? null : decodeMark(key, entry.value);
};

/** The processes at work: whoever dies or halts is replaced, as an orchestrator does it. */
const hiring = (site: Site) => {
  const { world } = site;
  const instances = new Set<Instance>();
  let names = 0;
  const hire = () => instances.add(startInstance(site, `m${++names}`));
  const end = (instance: Instance) => {
    instance.kill();
    instances.delete(instance);
  };
  const inspect = (instance: Instance) => {
    const { size } = world;
    // Less than a batch, and what every partition was delivering when that came together.
    const most = size.maxEvents + size.partitions * 2 * size.maxFetch;
    if (instance.queued() > most) world.problems.push(`${instance.name} queues ${instance.queued()} records`);
    const halted = instance.halted();
    if (halted === null) return;
    const isRight = world.isReplaced() && halted instanceof PipelineError && halted.code === 'LOG_REPLACED';
    if (!isRight) world.problems.push(`${instance.name} halted: ${textOf(halted)}`);
    end(instance);
    if (!isRight) return;
    world.halts += 1;
    if (world.halts < 6) world.time.after(100, hire);
  };
  const round = () => {
    for (const instance of instances) inspect(instance);
    world.time.after(20, round);
  };
  round();
  return {
    instances,
    hire,
    end,
    fill: () => {
      while (instances.size < world.size.members) hire();
    },
    stop: async () => {
      for (const instance of instances) {
        let isOver = false;
        instance.stop().then(
          () => (isOver = true),
          (error: unknown) => world.problems.push(`${instance.name} does not stop: ${String(error)}`),
        );
        // Whoever halts meanwhile is gone before it has stopped.
        const isEnded = () => isOver || instance.halted() !== null;
        if (!(await world.time.run(isEnded, world.time.now() + 60_000)))
          world.problems.push(`${instance.name} does not stop`);
        const halted = instance.halted();
        if (halted !== null && !world.isReplaced())
          world.problems.push(`${instance.name} halted as it stopped: ${textOf(halted)}`);
      }
    },
  };
};

type Crew = ReturnType<typeof hiring>;

/** Everything that happens to the world while there is chaos, each at a random moment. */
const unleash = (site: Site, producer: Producer, crew: Crew): void => {
  const { world, server, group } = site;
  const { random, size, faults, time } = world;
  const sometime = (run: () => void) => time.after(random.between(0, size.chaosMs), run);
  const someLog = () => random.pick(world.logs() as [SimulatedLog, ...SimulatedLog[]]);
  const someone = () => random.pick<Instance | undefined>([undefined, ...crew.instances]);
  const produce = () => {
    const log = someLog();
    for (let left = random.between(1, 20); left > 0; left -= 1) {
      const { value, truth } = producer.next();
      log.append(value, truth);
      if (random.chance(0.08)) log.mark(random.pick(['control', 'aborted']));
    }
  };
  for (let left = size.records; left > 0; left -= 10) {
    if (random.chance(0.4)) produce();
    else sometime(produce);
  }
  const often = (probability: number, most: number, run: () => void) => {
    for (let count = 0; count < most; count += 1) if (random.chance(probability)) sometime(run);
  };
  often(0.5, 4, () => someLog().mark(random.pick(['control', 'aborted'])));
  if (size.isCompacted) often(0.5, 4, () => someLog().compact(random));
  often(faults.logs, 3, () => {
    const log = someLog();
    log.deleteBelow(random.between(0, log.end()));
    world.tell(`log ${log.partition} starts at ${log.start()}`);
  });
  often(faults.ledger, 3, () => {
    world.tell('ledger down');
    server.downFor(random.between(20, 700));
  });
  often(faults.ledger, 3, server.loseSessions);
  often(faults.members, 4, () => {
    world.tell('rebalance');
    group.rebalance();
  });
  often(faults.members / 2, 3, () => {
    const instance = someone();
    if (instance === undefined) return;
    world.tell(`${instance.name} is killed`);
    crew.end(instance);
    time.after(random.between(0, 300), crew.fill);
  });
  often(faults.members / 2, 3, () => {
    const instance = someone();
    world.tell(`${instance?.name ?? 'nobody'} is stopped`);
    instance?.gate.stopFor(random.between(50, 1500));
    time.after(random.between(0, 500), group.rebalance);
  });
  if (faults.replacement) {
    sometime(() => {
      const isCovered = world.logs().every(({ partition }) => (markOf(server, partition)?.last ?? null) !== null);
      if (!isCovered) return;
      world.tell('the topic is deleted and made anew');
      world.replaceLogs(server.database.chain.txs.at(-1)?.header.id ?? 0n);
      produce();
    });
  }
  acceptLosses(site);
};

/** A log is recognised by what is delivered: on a topic that is another one, something must come. */
const goOnProducing = (world: World, producer: Producer): void => {
  const round = () => {
    for (const log of world.logs()) {
      const { value, truth } = producer.next();
      log.append(value, truth);
    }
    world.time.after(1000, round);
  };
  round();
};

/** A person who looks at held partitions now and then, and accepts what `immutrail gap accept` lets pass. */
const acceptLosses = (site: Site): void => {
  const { world, server, made } = site;
  const ledger = simulatedLedger(simulatedClient(server, processGate(world.time)), made);
  const accept = async (partition: number, logStart: bigint) => {
    const marks = world.logs().map((log) => [log.partition, markOf(server, log.partition)] as const);
    const covered = new Map(marks.flatMap(([at, mark]) => (mark === null ? [] : [[at, mark]])));
    const bounds = new Map(world.logs().map((log) => [log.partition, log.bounds()]));
    requireSameLog(
      covered,
      { clusterId: 'cluster', isCompacted: world.size.isCompacted, partitions: bounds },
      'cluster',
    );
    const isShort = world.logs().some((log) => (covered.get(log.partition)?.next ?? 0n) > BigInt(log.end()));
    if (isShort) world.problems.push(`a loss of ${partition} is accepted, but the log is another one`);
    await acceptGap(ledger, { log: 1, partition, logStart, by: 'a', why: 'b' });
    world.tell(`a person accepts the loss of ${partition} up to ${logStart.toString()}`);
  };
  const look = async () => {
    for (const log of world.logs()) {
      const mark = markOf(server, log.partition);
      const start = BigInt(log.start());
      if (mark === null || mark.next >= start || start - mark.next <= world.size.maxLoss) continue;
      await accept(log.partition, start).catch((error: unknown) => world.tell(`accepting: ${String(error)}`));
    }
  };
  const round = () =>
    void look().then(() => world.time.after(world.isChaos() ? world.random.between(100, 1000) : 300, round));
  world.time.after(100, round);
};

/** Everything is covered, or (the topic is another one, and was recognised as such) nobody goes on. */
const isSettled = ({ world, coverage }: Site, { instances }: Crew): boolean => {
  if (world.isReplaced() && (world.halts >= 6 || instances.size === 0)) return true;
  return world.logs().every((log) => log.end() === log.start() || coverage(log.partition) === BigInt(log.end()));
};

const stateOf = ({ world, coverage }: Site): string =>
  world
    .logs()
    .map((log) => `${log.partition}: ${String(coverage(log.partition))} of ${log.start()}-${log.end()}`)
    .join(', ');

/** No letter but of a record at fault: poison, or an event whose id has two contents. */
const wrongLetters = ({ letters }: Site, producer: Producer): string[] =>
  letters.all().flatMap(({ record, code }) => {
    if (producer.mayDie(record.value)) return [];
    return [`a letter of a right event: ${record.partition}@${record.offset.toString()} ${code}`];
  });

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : typeof error);

/**
 * Runs the seeds from `first` on. Rejects at the first one that breaks a promise, with what was broken and the last
 * that happened before; `IMMUTRAIL_SEED=<seed>` runs it again.
 */
export const simulateSeeds = async (
  first: number,
  count: number,
): Promise<{ transactions: number; stored: number }> => {
  const sum = { transactions: 0, stored: 0 };
  for (let seed = first; seed < first + count; seed += 1) {
    const { problems, trace, transactions, stored } = await simulate(seed);
    if (problems.length > 0)
      throw new Error(`seed ${seed}:\n${problems.slice(0, 10).join('\n')}\n\n${trace.slice(-60).join('\n')}`);
    sum.transactions += transactions;
    sum.stored += stored;
  }
  return sum;
};
