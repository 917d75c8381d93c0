/** Lengths are counted in Unicode code points, as JSON Schema does and PostgreSQL's varchar. */
const codePoints = (text: string): number => {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) count--;
  }
  return count;
};

/**
 * Whether a text has more than `max` code points. It has at most two UTF-16 units for each, so most are judged without
 * counting, and none is counted far.
 */
export const isLonger = (text: string, max: number): boolean =>
  text.length > max && (text.length > 2 * max || codePoints(text) > max);
