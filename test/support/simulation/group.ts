import { PipelineError } from '../../../src/errors.ts';
import type { CommittedOffset, Delivery, Source, SourceHandler } from '../../../src/consumers/source.ts';
import type { ProcessGate } from './gate.ts';
import type { World } from './world.ts';

/** The brokers' side of a consumer group, and what of it a member of the group sees. */
export type Group = {
  /** A source for one process; it joins with `start`. */
  member(name: string, gate: ProcessGate, coverage: (partition: number) => bigint | null): GroupMember;
  rebalance(): void;
};

export type GroupMember = Source & { leave(): void; isIdle(): boolean };

type Membership = { readonly join: (generation: number, partitions: readonly number[]) => void };

export const simulatedGroup = (world: World): Group => {
  const { random, time } = world;
  const members = new Set<Membership>();
  const committed = new Map<number, bigint>();
  let generation = 0;

  const rebalance = () => {
    generation += 1;
    const list = [...members];
    const shift = random.between(0, 3);
    list.forEach((member, index) => {
      const own = world.logs().filter(({ partition }) => (partition + shift) % list.length === index);
      member.join(
        generation,
        own.map(({ partition }) => partition),
      );
    });
  };

  const member: Group['member'] = (name, gate, coverage) => {
    let handler: SourceHandler | null = null;
    let epoch = 0;
    let ownGeneration = 0;
    let wanted = 0;
    let delivering = 0;
    /** Left or killed. A function, since it changes while others wait. */
    let hasLeft = false;
    const isOver = () => hasLeft;
    const seeks = new Map<number, bigint>();
    const held = new Set<number>();

    const join = async (next: number, partitions: readonly number[]): Promise<void> => {
      wanted = next;
      await world.latency();
      await gate.open();
      if (isOver() || wanted !== next) return;
      if (ownGeneration > 0 && random.chance(0.7)) {
        handler?.letGo();
        // Most rebalances wait for the handlers; the one that begins inside a fetch does not.
        const givesUpAt = time.now() + 500;
        while (random.chance(0.8) && delivering > 0 && time.now() < givesUpAt) await time.wait(5);
        await world.latency();
        await gate.open();
        if (isOver() || wanted !== next) return;
      }
      epoch += 1;
      ownGeneration = next;
      held.clear();
      world.tell(`${name} assigned ${partitions.join(',')} in epoch ${epoch}`);
      handler?.assigned(epoch, partitions);
      for (const partition of partitions) void fetchLoop(partition, epoch);
    };

    const fetchLoop = async (partition: number, ownEpoch: number): Promise<void> => {
      let position = committed.get(partition) ?? BigInt(world.log(partition).start());
      let { life } = world.log(partition);
      const isMine = () => !isOver() && epoch === ownEpoch;
      while (isMine()) {
        position = seeks.get(partition) ?? position;
        seeks.delete(partition);
        if (held.has(partition)) {
          await time.wait(20);
          continue;
        }
        await world.latency();
        await gate.open();
        const log = world.log(partition);
        const isElsewhere = position < BigInt(log.start()) || position > BigInt(log.end());
        if (life !== log.life || isElsewhere || world.chance(world.faults.kafka / 3)) {
          // A fetch that is answered with an error. Out of range: kafkajs begins at the log start.
          if (!isMine()) return;
          life = log.life;
          handler?.doubt();
          if (isElsewhere) position = BigInt(log.start());
          await time.wait(random.between(5, 50));
          continue;
        }
        const { next, records, gaps } = log.read(Number(position), random.between(1, world.size.maxFetch));
        if (BigInt(next) === position) {
          await time.wait(random.between(5, 30));
          continue;
        }
        // The answer is on its way; the group may move on meanwhile.
        await world.latency();
        await gate.open();
        if (isOver() || (epoch !== ownEpoch && random.chance(0.5))) return;
        if (seeks.has(partition) && random.chance(0.7)) continue;
        // kafkajs says under which assignment a batch is handled, not under which it was fetched.
        const labelled = random.chance(0.5) ? epoch : ownEpoch;
        const logEnd = BigInt(log.end());
        const given = { partition, epoch: labelled, from: position, next: BigInt(next), records, gaps, logEnd };
        const resolved = await deliver(given);
        if (resolved !== null && isMine() && !seeks.has(partition)) position = resolved;
        if (resolved === null) await time.wait(random.between(1, 10));
      }
    };

    const deliver = async (delivery: Delivery): Promise<bigint | null> => {
      delivering += 1;
      const resolved = (await handler?.deliver(delivery)) ?? null;
      delivering -= 1;
      const { partition, from, next, epoch: under } = delivery;
      const range = `${partition}@${from.toString()}-${next.toString()}`;
      world.tell(`${name} delivered ${range} epoch ${under}: ${String(resolved)}`);
      if (resolved !== null && resolved < from && under === epoch && !seeks.has(partition))
        world.problems.push(`${name} resolved ${range} with ${resolved.toString()}`);
      return resolved;
    };

    const take = (offsets: readonly CommittedOffset[]) => {
      for (const { partition, next } of offsets) {
        const covered = coverage(partition);
        if (covered === null || next > covered)
          world.problems.push(
            `${name} committed ${partition}@${next.toString()} above the coverage ${String(covered)}`,
          );
        committed.set(partition, next);
      }
    };

    const membership: Membership = { join: (next, partitions) => void join(next, partitions) };
    return {
      start: (given) => {
        handler = given;
        members.add(membership);
        rebalance();
        return Promise.resolve();
      },
      quiesce: () => (hasLeft = true),
      stop: () => Promise.resolve(),
      leave: () => {
        hasLeft = true;
        members.delete(membership);
        if (members.size > 0) rebalance();
      },
      isIdle: () => delivering === 0,
      seek: (partition, offset) => {
        world.tell(`${name} seeks ${partition}@${offset.toString()}`);
        seeks.set(partition, offset);
      },
      hold: (partition) => void held.add(partition),
      release: (partition) => void held.delete(partition),
      commit: (offsets, commitEpoch) =>
        gate.through(
          (async () => {
            await world.latency();
            const isFenced = commitEpoch !== epoch || ownGeneration < generation - (random.chance(0.5) ? 1 : 0);
            if (isFenced || isOver() || world.chance(world.faults.kafka)) return false;
            take(offsets);
            return !world.chance(world.faults.kafka);
          })(),
        ),
      bounds: (partitions) =>
        gate.through(
          (async () => {
            await world.latency();
            if (world.chance(world.faults.kafka)) throw new PipelineError('KAFKA_UNAVAILABLE', 'reading log bounds');
            const known = partitions.map((partition) => [partition, world.log(partition).bounds()] as const);
            await world.latency();
            return { clusterId: 'cluster', isCompacted: world.size.isCompacted, partitions: new Map(known) };
          })(),
        ),
    };
  };

  return { member, rebalance };
};
