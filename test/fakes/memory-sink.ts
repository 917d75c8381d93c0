import type { Batch, CommitOutcome, Composed, Redrive, Sink, Standing, StoredEvent } from '../../src/sinks/sink.ts';

type Instead = (batch: Batch) => Promise<CommitOutcome | null>;

/** A sink as the port says, in memory: batches that continue the coverage are written whole, each event once. */
export const memorySink = () => {
  const marks = new Map<number, Standing>();
  const events = new Map<string, StoredEvent>();
  const written: Batch[] = [];
  /** Redrives that are under way; told apart by their offset. */
  const redrives: Redrive[] = [];
  const hooks = {
    /** What a commit answers or throws in place of writing; null: it is written. */
    instead: ((): Promise<CommitOutcome | null> => Promise.resolve(null)) as Instead,
    finds: 0,
  };

  const eventsOf = ({ spans }: Batch) =>
    spans.flatMap(({ outcomes }) => outcomes.flatMap((one) => (one.kind === 'stored' ? [one] : [])));

  const write = (batch: Batch): CommitOutcome => {
    const moved = batch.spans.flatMap(({ partition, first }) => {
      const mark = marks.get(partition);
      return mark === undefined || mark.next === first ? [] : [mark];
    });
    if (moved.length > 0) return { kind: 'moved', standings: moved };
    const known = eventsOf(batch).flatMap(({ facts }) => events.get(facts.eventId) ?? []);
    if (known.length > 0) return { kind: 'exists', events: new Map(known.map((event) => [event.eventId, event])) };
    const tx = BigInt(written.push(batch) + 2);
    const standings = batch.spans.map(({ partition, next, last, tripped: why }): Standing => {
      const held = why === undefined ? {} : { breaker: { isHolding: true, by: 'immutrail', why } };
      return { partition, tx, next, last, ...held };
    });
    for (const standing of standings) marks.set(standing.partition, standing);
    for (const { facts, json } of eventsOf(batch)) {
      events.set(facts.eventId, { eventId: facts.eventId, tx, json });
    }
    return { kind: 'written', tx, standings };
  };

  const sink: Sink = {
    open: (partitions) =>
      Promise.resolve(
        new Map(partitions.flatMap((each) => marks.get(each) ?? []).map((mark) => [mark.partition, mark])),
      ),
    budget: () => ({ take: () => true, cover: () => true }),
    find: (ids) => {
      hooks.finds += 1;
      return Promise.resolve(new Map(ids.flatMap((id) => events.get(id) ?? []).map((event) => [event.eventId, event])));
    },
    redrives: (of) =>
      Promise.resolve(of.flatMap((place) => redrives.find((one) => one.of.offset === place.offset) ?? [])),
    compose: async (batch, breathe): Promise<Composed> => {
      await breathe();
      return { batch, entries: 1, bytes: 1 };
    },
    commit: async ({ batch }) => {
      if (batch.spans.length === 0) throw new Error('no entries provided');
      return (await hooks.instead(batch)) ?? write(batch);
    },
  };
  return { sink, redrives, marks, events, written, hooks };
};
