import type { Cursor } from './cursor.ts';

/**
 * Texts that events repeat (names of fields, types, actors), each made once: a place for each hash, the text that was met
 * last in it, and its bytes to compare with. At most 2,048 texts of 64 bytes are kept.
 */
const places = 2_048;
const longestKept = 64;
const texts: string[] = new Array<string>(places).fill('');
const bytesOfTexts = Buffer.alloc(places * longestKept);

/** Of a text of ASCII bytes: mixes its length, both ends and what lies between. */
const placeOf = (bytes: Buffer, from: number, to: number): number => {
  let hash = to - from;
  for (let at = from; at < to; at += 3) hash = Math.imul(hash, 31) + (bytes[at] ?? 0);
  hash = Math.imul(hash, 31) + (bytes[to - 1] ?? 0);
  return (hash ^ (hash >>> 11)) & (places - 1);
};

/** The text of ASCII bytes `from` to `to`, if it is one of those that come again the same string as before. */
export const keptText = (bytes: Buffer, from: number, to: number): string => {
  const length = to - from;
  if (length > longestKept) return bytes.toString('latin1', from, to);
  const place = placeOf(bytes, from, to);
  const known = texts[place] ?? '';
  const at = place * longestKept;
  if (known.length === length) {
    let same = 0;
    while (same < length && bytesOfTexts[at + same] === bytes[from + same]) same++;
    if (same === length) return known;
  }
  const text = bytes.toString('latin1', from, to);
  texts[place] = text;
  bytes.copy(bytesOfTexts, at, from, to);
  return text;
};

/** The text that the cursor has taken; `once`: it is not likely to come again. */
export const textTaken = ({ bytes, from, to, isEscaped, mixed }: Cursor, comes: 'again' | 'once' = 'again'): string => {
  if (isEscaped) return JSON.parse(bytes.toString('utf8', from - 1, to + 1)) as string;
  if (mixed >= 0x80) return bytes.toString('utf8', from, to);
  return comes === 'once' ? bytes.toString('latin1', from, to) : keptText(bytes, from, to);
};
