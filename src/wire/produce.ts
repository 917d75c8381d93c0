import type { ProduceOptions, Produced } from '../cli/commands.ts';
import type { Config } from '../config.ts';
import { kafkaClient } from '../consumers/kafka/connection.ts';
import { kafkaPublisher } from '../consumers/kafka/publisher.ts';
import { generateEvents, type GeneratedEvent, type GeneratedKind } from '../producers/generate.ts';
import { publishEvents } from '../producers/publish.ts';

/** `immutrail produce`: the seven services' stories onto the topic; resolves when every record is acknowledged. */
export const produce = async (config: Config, options: ProduceOptions): Promise<Produced> => {
  const { count, poison, duplicates, rate, onProgress } = options;
  const publisher = kafkaPublisher({ kafka: kafkaClient(config.kafka) });
  const tally: Record<GeneratedKind, number> = { valid: 0, duplicate: 0, poison: 0 };
  const all = count + poison + duplicates;
  const seed = options.seed ?? Date.now() % 2 ** 31;
  const generated = generateEvents({ count: all, poison, duplicates, seed, startMs: Date.now() - storyMs(all) });
  const started = performance.now();
  try {
    await publishEvents(publisher, counted(generated, tally), {
      topic: config.kafka.topic,
      ...(rate !== null && { ratePerSecond: rate }),
      onProgress: (acknowledged) => onProgress?.(acknowledged, all),
    });
  } finally {
    await publisher.close();
  }
  const { valid, duplicate } = tally;
  return { valid, poison: tally.poison, duplicates: duplicate, tookMs: performance.now() - started };
};

/** The generator's stories together make some thirty events a minute: so long ago they begin, to end about now. */
const storyMs = (events: number): number => (events / 30) * 60_000;

function* counted(
  events: Iterable<GeneratedEvent>,
  tally: Record<GeneratedKind, number>,
): Generator<GeneratedEvent, void> {
  for (const event of events) {
    tally[event.kind] += 1;
    yield event;
  }
}
