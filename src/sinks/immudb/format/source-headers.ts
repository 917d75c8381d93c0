import { isUtf8 } from 'node:buffer';
import type { Header } from '../../../schemas/record.ts';

/** An event's value keeps at most so many of its record's headers … */
export const maxHeaders = 32;
/** … of so many bytes, names and values as they are on Kafka. */
export const maxHeaderBytes = 8_192;

/**
 * Which headers a value keeps: in their order, each that still fits into both bounds. So bounding what was bounded
 * keeps it whole.
 */
export const boundHeaders = (headers: readonly Header[]): { kept: readonly Header[]; omitted: number } => {
  if (headers.length === 0) return { kept: headers, omitted: 0 };
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

/** `[["name","text"],["name",null],["name",{"b64":"…"}]]`: a list, since names repeat and are the producer's choice. */
export const headersText = (headers: readonly Header[]): string => {
  let text = '';
  for (const [name, value] of headers) text += `${text === '' ? '' : ','}[${JSON.stringify(name)},${valueText(value)}]`;
  return `[${text}]`;
};

const valueText = (value: Buffer | null): string => {
  if (value === null) return 'null';
  return isUtf8(value) ? JSON.stringify(value.toString()) : `{"b64":"${value.toString('base64')}"}`;
};

/** The inverse of headersText; null for anything else. */
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
