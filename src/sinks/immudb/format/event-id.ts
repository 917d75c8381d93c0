const dash = 0x2d;
const nil = '00000000-0000-0000-0000-000000000000';
const max = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * An event id as the ledger holds it: a lower-case UUID of any version, neither nil nor max. Says what canonicalEventId
 * of schemas/event-id.ts does, without its regular expression, which takes three times as long.
 */
export const isEventId = (text: string): boolean =>
  text.length === 36 &&
  isHex(text, 0, 8) &&
  isHex(text, 9, 13) &&
  isHex(text, 14, 18) &&
  isHex(text, 19, 23) &&
  isHex(text, 24, 36) &&
  text.charCodeAt(8) === dash &&
  text.charCodeAt(13) === dash &&
  text.charCodeAt(18) === dash &&
  text.charCodeAt(23) === dash &&
  text !== nil &&
  text !== max;

const isHex = (text: string, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || (code > 0x39 && code < 0x61) || code > 0x66) return false;
  }
  return true;
};
