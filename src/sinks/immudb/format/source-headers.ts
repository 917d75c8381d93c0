import type { Header } from '../../../schemas/record.ts';
import { comma, type Pen, putAscii, putByte, putText, putUtf8 } from './pen.ts';

/** An event's value keeps at most so many of its record's headers … */
export const maxHeaders = 32;
/** … of so many bytes, names and values as they are on Kafka. */
export const maxHeaderBytes = 8_192;

/**
 * Which headers a value keeps: in their order, each that still fits into both bounds. So bounding what was bounded
 * keeps it whole.
 */
export const boundHeaders = (headers: readonly Header[]): { kept: readonly Header[]; omitted: number } => {
  if (headers.length === 0) return noHeaders;
  let room = maxHeaderBytes;
  const kept: Header[] = [];
  for (const header of headers) {
    const bytes = Buffer.byteLength(header[0]) + (header[1]?.length ?? 0);
    if (kept.length === maxHeaders || bytes > room) continue;
    room -= bytes;
    kept.push(header);
  }
  return { kept, omitted: headers.length - kept.length };
};

const noHeaders = { kept: [], omitted: 0 };

/** `[["name","text"],["name",null],["name",{"b64":"…"}]]`: a list, since names repeat and are the producer's choice. */
export const putHeaders = (pen: Pen, headers: readonly Header[]): void => {
  let before = '[[';
  for (const [name, value] of headers) {
    putAscii(pen, before);
    putText(pen, name);
    putByte(pen, comma);
    putValue(pen, value);
    before = '],[';
  }
  putAscii(pen, headers.length === 0 ? '[]' : ']]');
};

const putValue = (pen: Pen, value: Buffer | null): void => {
  if (value === null) putAscii(pen, 'null');
  else if (!putUtf8(pen, value)) putAscii(pen, `{"b64":"${value.toString('base64')}"}`);
};

/** The inverse of putHeaders; null for anything else. */
export const readHeaders = (list: readonly unknown[]): readonly Header[] | null => {
  const headers = list.map(readHeader);
  return headers.every((header) => header !== null) ? headers : null;
};

const readHeader = (row: unknown): Header | null => {
  if (!Array.isArray(row) || row.length !== 2) return null;
  const [name, given] = row as readonly unknown[];
  const value = readHeaderValue(given);
  return typeof name === 'string' && name.isWellFormed() && value !== undefined ? [name, value] : null;
};

const readHeaderValue = (value: unknown): Buffer | null | undefined => {
  if (value === null) return null;
  if (typeof value === 'string') return value.isWellFormed() ? Buffer.from(value) : undefined;
  if (typeof value !== 'object' || !('b64' in value) || typeof value.b64 !== 'string') return undefined;
  return Buffer.from(value.b64, 'base64');
};
