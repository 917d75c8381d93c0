const nil = '00000000-0000-0000-0000-000000000000';
const max = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const hyphen = 0x2d;
const lowerCase = 0x20;
const isHyphenAt = (at: number): boolean => at === 8 || at === 13 || at === 18 || at === 23;

/** How a UUID is written, or null if the text is none. Hot path: a pattern takes twice as long. */
const spelling = (text: string): 'lower' | 'mixed' | null => {
  if (text.length !== nil.length) return null;
  let spelled: 'lower' | 'mixed' = 'lower';
  for (let at = 0; at < nil.length; at++) {
    const code = text.charCodeAt(at);
    if (isHyphenAt(at)) {
      if (code !== hyphen) return null;
    } else if (code < 0x30 || code > 0x39) {
      const letter = code | lowerCase;
      if (letter < 0x61 || letter > 0x66) return null;
      if (letter !== code) spelled = 'mixed';
    }
  }
  return spelled;
};

/** Whether the text is a UUID in the 8-4-4-4-12 form, of any version and variant, in any case. */
export const isUuid = (text: string): boolean => spelling(text) !== null;

/** The event id in its one spelling (lower case), or null if it is no UUID, or the nil or max UUID, which name nothing. */
export const canonicalEventId = (text: string): string | null => {
  const spelled = spelling(text);
  if (spelled === null) return null;
  const id = spelled === 'lower' ? text : text.toLowerCase();
  return id === nil || id === max ? null : id;
};
