/** Events for benches: about 1 KB each, made fast. */
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** UUIDv7 by number: increasing, as producers in the field make them. */
export const eventIdOf = (startMs: number, index: number): string => {
  const ms = hex(startMs + Math.floor(index / 50), 12);
  const low = hex(index % 4096, 3);
  const tail = hex(index, 12);
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${low}-8${hex((index * 2_654_435_761) % 4096, 3)}-${tail}`;
};

export type BenchShape = {
  readonly count: number;
  /** Consecutive events that share one correlation id. */
  readonly perCorrelation: number;
  readonly sizeBytes: number;
  /** Event times are spread evenly over so long. */
  readonly spreadMs: number;
};

export type BenchEvent = { readonly key: string; readonly value: Buffer };

const types = Array.from({ length: 40 }, (_, index) => `service${index % 7}.domain.action${index}`);

export const benchEvents = function* ({ count, perCorrelation, sizeBytes, spreadMs }: BenchShape): Generator<BenchEvent> {
  const startMs = Date.now() - spreadMs;
  const pad = 'x'.repeat(sizeBytes);
  for (let index = 0; index < count; index += 1) {
    const story = Math.floor(index / perCorrelation);
    const key = `rr-${hex(story, 12)}-${hex(startMs % 0xffffffff, 8)}`;
    const time = new Date(startMs + Math.floor((index / count) * spreadMs)).toISOString();
    const head =
      `{"event_id":"${eventIdOf(startMs, index)}","version":"1.0","event_type":"${types[index % 40] ?? ''}",` +
      `"event_timestamp":"${time}","event_category":"service${index % 7}","event_action":"done",` +
      `"event_outcome":"success","actor_type":"service","actor_id":"service${index % 7}-controller",` +
      `"resource_type":"Deployment","resource_id":"shop/cart-${index % 100}","correlation_id":"${key}",` +
      `"namespace":"shop","severity":"info","event_data":{"index":${index},"note":"`;
    yield { key, value: Buffer.from(`${head}${pad.slice(0, Math.max(0, sizeBytes - head.length - 3))}"}}`) };
  }
};

/** Half of the events repeat an earlier one, chosen over everything that came before. */
export const repeatingEvents = function* (shape: BenchShape): Generator<BenchEvent> {
  const earlier: BenchEvent[] = [];
  let state = 12_345;
  for (const event of benchEvents({ ...shape, count: shape.count / 2 })) {
    earlier.push(event);
    yield event;
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield earlier[state % earlier.length] ?? event;
  }
};
