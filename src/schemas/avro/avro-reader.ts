import type { Type } from 'avsc';
import { documentFieldsOf } from '../catalogue/services.ts';
import { scanJson } from '../json/scan.ts';
import { directReader, type DirectEvent } from './direct.ts';
import { jsonWriterOf } from './json-writer.ts';
import { NotJson, plainOf } from './plain.ts';
import { readingOf, type Reading } from './reader-type.ts';
import { walkOf } from './walk.ts';

export type AvroRead = DirectEvent | { readonly kind: 'fault'; readonly why: string } | { readonly kind: 'utf8' };

/** Reads records of one writer's schema; made once per schema. `from` is where the bytes behind the frame begin. */
export type AvroReader = (value: Buffer, from: number) => AvroRead;

const replacement = '\ufffd';

export const avroReader = (writer: Type): AvroReader => {
  const reading = readingOf(writer);
  const direct = reading.resolver === undefined ? directReader(writer, documentFieldsOf(writer.name ?? '')) : null;
  const long = longReader(writer, reading);
  return (value, from) => direct?.(value, from) ?? long(value, from);
};

/** By avsc, after a strict walk: reads every schema, and what another one became since. Tells what is wrong. */
export const longReader = (writer: Type, { type, resolver }: Reading = readingOf(writer)): AvroReader => {
  const walk = walkOf(writer);
  const plain = plainOf(type);
  const write = jsonWriterOf(type);
  const names = fieldNamesOf(type);
  const documents = documentFieldsOf(type.name ?? '');
  const decoded = (body: Buffer): unknown => plain(type.fromBuffer(body, resolver));

  return (value, from) => {
    const wrong = walk.fault(value, from, false);
    if (wrong !== null) return { kind: 'fault', why: wrong };
    const depth = walk.depth();
    try {
      const event = decoded(value.subarray(from));
      if (typeof event !== 'object' || event === null || Array.isArray(event))
        return { kind: 'fault', why: 'it is no record' };
      const inner = opened(event as Readonly<Record<string, unknown>>, documents);
      const text = write(event);
      // Bytes that are no text became this character; so may one that a producer wrote.
      if (text.includes(replacement) && walk.fault(value, from, true) !== null) return { kind: 'utf8' };
      return {
        kind: 'event',
        event: event as Readonly<Record<string, unknown>>,
        names,
        json: Buffer.from(text),
        depth: Math.max(depth, inner),
      };
    } catch (error) {
      return { kind: 'fault', why: whyOf(error) };
    }
  };
};

/** Of a record; those that are null in an event are absent from it. */
const fieldNamesOf = (type: Type): readonly string[] =>
  ((type as unknown as { readonly fields?: readonly { readonly name: string }[] }).fields ?? []).map(
    ({ name }) => name,
  );

/** Free JSON objects of the payload travel as text. Returns how deep they nest, counted from the whole event. */
const opened = (event: Readonly<Record<string, unknown>>, documents: readonly string[]): number => {
  const data = event['event_data'] as Record<string, unknown> | null | undefined;
  if (documents.length === 0 || typeof data !== 'object' || data === null) return 0;
  let depth = 0;
  for (const name of documents) {
    const text = data[name];
    if (typeof text !== 'string') continue;
    const scan = scanJson(Buffer.from(text));
    if (scan.depth > maxDocumentDepth || scan.loneSurrogate)
      throw new NotJson(`${name} nests too deep, or is no Unicode`);
    data[name] = JSON.parse(text);
    depth = Math.max(depth, 2 + scan.depth);
  }
  return depth;
};

const maxDocumentDepth = 100;

/** Never the words of the parser, which quote what they met. */
const whyOf = (error: unknown): string => {
  if (error instanceof NotJson) return error.message;
  if (error instanceof SyntaxError) return 'a document in its payload is not JSON';
  if (error instanceof RangeError) return 'it nests too deep';
  return error instanceof Error && error.message === 'potential precision loss'
    ? 'a number is beyond 2^53 - 1'
    : 'it is not what its schema says';
};
