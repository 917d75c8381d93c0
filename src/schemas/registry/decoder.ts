import { avroReader } from '../avro/avro-reader.ts';
import { type DecodeJson, decodeWith } from '../decode.ts';
import type { Decoded } from '../decoded.ts';
import type { JudgePayload } from '../payload-rule.ts';
import type { FetchedSchema, RegistryClient } from './client.ts';
import { decodeFramed, isFramed, type KnownSchema, schemaIdOf } from './framed.ts';

/** Decodes records in any encoding. What needs the registry is fetched ahead, so that decoding itself never waits. */
export type Decoder = {
  /**
   * Resolves when each of these values can be decoded; null if they can be already, which plain JSON always can.
   * Rejects with REGISTRY_UNAVAILABLE and the like: nothing is known then of the records, and they are held.
   */
  prepare(values: Iterable<Buffer | null>): Promise<void> | null;
  /** Whether {@link decode} knows what it needs for this value. */
  isReady(value: Buffer | null): boolean;
  decode(value: Buffer | null): Decoded;
};

export type DecoderOptions = {
  readonly registry: Pick<RegistryClient, 'fetch'>;
  readonly judge: JudgePayload;
  /** Schemas kept; the least recently used goes first. More than one batch has records. */
  readonly maxSchemas?: number;
  /** How long an id counts as unknown before the registry is asked again. */
  readonly unknownForMs?: number;
  readonly now?: () => number;
};

/** So many ids are asked for at the same time. */
const maxInFlight = 8;

type Entry = { readonly schema: KnownSchema; readonly until: number };

/** Of plain JSON only: anything in a frame is a dead letter, as no registry is set up. */
export const plainDecoder = (judge: JudgePayload): Decoder => ({
  prepare: () => null,
  isReady: () => true,
  decode: decodeWith(judge),
});

export const registryDecoder = (options: DecoderOptions): Decoder => {
  const { registry, judge, maxSchemas = 2_000, unknownForMs = 30_000, now = () => performance.now() } = options;
  const decodeJson: DecodeJson = decodeWith(judge);
  const known = new Map<number, Entry>();
  /** Without touching the order of use. */
  const find = (id: number): KnownSchema | undefined => {
    const entry = known.get(id);
    if (entry === undefined) return undefined;
    // The clock is asked for those only that end.
    return entry.until !== Infinity && entry.until < now() ? undefined : entry.schema;
  };
  const keep = (id: number, schema: KnownSchema): void => {
    known.delete(id);
    known.set(id, { schema, until: schema.kind === 'unknown' ? now() + unknownForMs : Infinity });
    const [oldest] = known.keys();
    if (known.size > maxSchemas && oldest !== undefined) known.delete(oldest);
  };
  const use = (id: number): KnownSchema | undefined => {
    const schema = find(id);
    const entry = known.get(id);
    if (schema !== undefined && entry !== undefined) {
      known.delete(id);
      known.set(id, entry);
    }
    return schema;
  };
  const isReady = (value: Buffer | null): boolean => {
    if (!isFramed(value)) return true;
    const id = schemaIdOf(value);
    return id === null || find(id) !== undefined;
  };
  const fetchAll = async (ids: ReadonlySet<number>): Promise<void> => {
    const waiting = [...ids];
    const fetchNext = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift())
        keep(id, readable(await registry.fetch(id)));
    };
    const results = await Promise.allSettled(Array.from({ length: Math.min(maxInFlight, ids.size) }, fetchNext));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };

  return {
    prepare: (values) => {
      let missing: Set<number> | null = null;
      for (const value of values) {
        if (!isFramed(value)) continue;
        const id = schemaIdOf(value);
        if (id === null || use(id) !== undefined) continue;
        missing ??= new Set();
        missing.add(id);
      }
      return missing === null ? null : fetchAll(missing);
    },
    isReady,
    decode: (value) => {
      if (!isFramed(value)) return decodeJson(value);
      const id = schemaIdOf(value);
      const schema = id === null ? unknown : find(id);
      if (schema === undefined) throw new Error('a schema was not fetched before its records were decoded');
      return decodeFramed(value, schema, judge, decodeJson);
    },
  };
};

const unknown: KnownSchema = { kind: 'unknown' };

/** A schema that avsc takes may still be one that no reader can be made of. */
const readable = (fetched: FetchedSchema): KnownSchema => {
  if (fetched.kind !== 'avro') return fetched;
  try {
    return { kind: 'avro', read: avroReader(fetched.type) };
  } catch {
    return { kind: 'unusable', why: 'no reader can be made of it' };
  }
};
