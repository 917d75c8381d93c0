const pattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const nil = '00000000-0000-0000-0000-000000000000';
const max = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Whether the text is a UUID in the 8-4-4-4-12 form, of any version and variant, in any case. */
export const isUuid = (text: string): boolean => pattern.test(text);

/** The event id in its one spelling (lower case), or null if it is no UUID, or the nil or max UUID, which name nothing. */
export const canonicalEventId = (text: string): string | null => {
  if (!isUuid(text)) return null;
  const id = text.toLowerCase();
  return id === nil || id === max ? null : id;
};
