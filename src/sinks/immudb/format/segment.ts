import { hash } from 'node:crypto';
import { refuse } from './invalid.ts';

/** What a key segment says: the text itself, or only the SHA-256 (hex) of a text too long for a key. */
export type Segment =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'hashed'; readonly sha256: string };

/** Longest segment, in bytes of its encoded form (which is ASCII: bytes are characters). */
export const maxSegmentBytes = 256;

/**
 * Text as a key segment: percent-encoded as by encodeURIComponent, and `~` as `%7E`. If that is longer than 256 bytes,
 * `~` and the SHA-256 of the UTF-8 text in lower-case hex instead; so only a hashed segment begins with `~`. The empty
 * text is the empty segment. Throws LEDGER_FORMAT_INVALID for text that is not well-formed Unicode.
 */
export const encodeSegment = (text: string): string => {
  if (text.length <= maxSegmentBytes && plain.test(text)) return text;
  const encoded = percentEncode(text);
  return encoded.length <= maxSegmentBytes ? encoded : `~${hash('sha256', text)}`;
};

/** What encodeURIComponent leaves alone, without `~`. */
const plain = /^[A-Za-z0-9_.!*'()-]*$/;

const percentEncode = (text: string): string => {
  if (!text.isWellFormed()) refuse('segment', 'the text is not well-formed Unicode');
  return encodeURIComponent(text).replaceAll('~', '%7E');
};

/** The inverse of encodeSegment; null for what encodeSegment never writes. Never throws. */
export const decodeSegment = (segment: string): Segment | null => {
  if (segment.startsWith('~')) {
    return /^~[0-9a-f]{64}$/.test(segment) ? { kind: 'hashed', sha256: segment.slice(1) } : null;
  }
  if (segment.length > maxSegmentBytes) return null;
  if (plain.test(segment)) return { kind: 'text', text: segment };
  const text = percentDecode(segment);
  return text !== null && encodeSegment(text) === segment ? { kind: 'text', text } : null;
};

const percentDecode = (segment: string): string | null => {
  try {
    const text = decodeURIComponent(segment);
    return text.isWellFormed() ? text : null;
  } catch {
    return null;
  }
};
