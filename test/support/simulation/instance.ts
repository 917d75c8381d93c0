import { rootHere } from '../root-here.ts';
import { batcher } from '../../../src/consumers/batcher.ts';
import { PipelineError } from '../../../src/errors.ts';
import { assignment } from '../../../src/pipeline/assignment.ts';
import { pipeline } from '../../../src/pipeline/deliver.ts';
import type { Happenings } from '../../../src/pipeline/happenings.ts';
import { sameContent } from '../../../src/schemas/canonical.ts';
import { noBreaker } from '../pipeline-rig.ts';
import { plainDecoder } from '../../../src/schemas/registry/decoder.ts';
import { valueSha256 } from '../../../src/schemas/record-hash.ts';
import { immudbSink } from '../../../src/sinks/immudb/sink.ts';
import type { TrustedLedger } from '../../../src/sinks/immudb/trusted-state-file.ts';
import { retrying } from '../../../src/sinks/with-retry.ts';
import { processGate, type ProcessGate } from './gate.ts';
import type { Group } from './group.ts';
import { simulatedClient, simulatedLedger, type LedgerServer } from './ledger-server.ts';
import type { LetterBox } from './letters.ts';
import type { World } from './world.ts';

export type Site = {
  readonly world: World;
  readonly server: LedgerServer;
  readonly made: TrustedLedger;
  readonly letters: LetterBox;
  readonly group: Group;
  readonly coverage: (partition: number) => bigint | null;
};

/** One process of `immutrail run`: all of the project's own code, over simulated brokers and a simulated server. */
export const startInstance = (site: Site, name: string) => {
  const { world, group, letters } = site;
  const { time, random, size } = world;
  const gate = processGate(time);
  const wait = (ms: number, signal: AbortSignal) => gate.through(time.wait(ms, signal));
  const clock = { now: time.now, wait };
  const source = group.member(name, gate, site.coverage);
  const ledger = simulatedLedger(simulatedClient(site.server, gate), site.made);
  const sink = immudbSink({
    ...{ ledger, logs: { source: 1, deadLetters: 2 }, writerId: `writer-${name}`, limits: { maxBytes: 100_000 } },
    ...{ deadlineMs: 100, maxUnexplained: 3, rootOf: rootHere },
  });
  const queue = batcher({ maxEvents: size.maxEvents, maxBytes: 50_000, maxAgeMs: 10 }, clock);
  const retry = retrying({ initialMs: 5, maxMs: 100, now: time.now, random: random.next, wait });
  let halted: unknown = null;
  const halt = (error: unknown) => {
    halted ??= error;
    world.tell(`${name} halts: ${String(error)}`);
    gate.kill();
    source.leave();
  };
  const happenings = toldTo(world, name, (error) =>
    running.failed(error instanceof Error ? error : new Error(String(error))),
  );
  const lanes = assignment({
    ...{ source, sink, batcher: queue, retrying: retry, happenings, clusterId: 'cluster', maxLoss: size.maxLoss },
    ...{ recogniseEveryMs: 300, lookEveryMs: 50, now: time.now, wait, breaker: noBreaker },
    sha256: (record) => valueSha256(record.value),
  });
  const running = pipeline({
    ...{ source, sink, deadLetters: letters.forProcess(gate), batcher: queue, assignment: lanes, retrying: retry },
    ...{
      happenings,
      inspect: plainDecoder(() => null),
      isSameContent: sameContent,
      now: time.now,
    },
    maxEvents: size.maxEvents,
    breaker: noBreaker,
    breathe: () => gate.through(time.wait(random.chance(0.3) ? random.between(0, 5) : 0)),
  });
  running.run().catch(halt);
  const stopWatching = watch(site, sink.open, gate, halt);
  void source.start(running);

  return {
    name,
    gate,
    queued: () => queue.queued().records,
    halted: () => halted,
    kill: () => {
      stopWatching();
      gate.kill();
      source.leave();
    },
    /** As a signal does it. Resolves when nothing is being written any more. */
    stop: async () => {
      stopWatching();
      source.quiesce();
      await running.stop();
      source.leave();
    },
  };
};

export type Instance = ReturnType<typeof startInstance>;

/** As src/wire looks at an idle ledger: beside the writes, through the same sink. */
const watch = (
  { world }: Site,
  open: (partitions: readonly number[]) => Promise<unknown>,
  gate: ProcessGate,
  halt: (error: unknown) => void,
) => {
  let isOver = false;
  const loop = async () => {
    for (;;) {
      await gate.through(world.time.wait(200));
      if (isOver) return;
      try {
        await open([]);
      } catch (error) {
        if (!(error instanceof PipelineError) || error.disposition !== 'retry') halt(error);
      }
    }
  };
  void loop();
  return () => {
    isOver = true;
  };
};

const toldTo = (world: World, name: string, failed: (error: unknown) => void): Happenings => {
  const tell = (what: string) => world.tell(`${name} ${what}`);
  return {
    assigned: () => undefined,
    letGo: () => tell('lets go'),
    partitionOpened: (partition, next) => tell(`opened ${partition}@${next.toString()}`),
    partitionMoved: (partition, next) => tell(`moved ${partition}@${next.toString()}`),
    partitionHeld: (partition) => tell(`holds ${partition}`),
    partitionReleased: (partition) => tell(`releases ${partition}`),
    recordsLost: (partition, gap) => tell(`lost ${partition}@${gap.from.toString()}-${gap.to.toString()}`),
    batchWritten: ({ tx, spans }) => tell(`wrote ${tx.toString()}: ${spans.map(rangeOf).join(' ')}`),
    eventsFound: (count) => tell(`found ${count}`),
    commitRefused: () => tell('commit refused'),
    failed,
  };
};

const rangeOf = ({ partition, first, next }: { partition: number; first: bigint; next: bigint }) =>
  `${partition}@${first.toString()}-${next.toString()}`;
