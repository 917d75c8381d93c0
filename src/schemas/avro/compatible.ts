import avsc, { type Schema, type Type } from 'avsc';

/**
 * Why the next schema does not do where the present one is in use: it must read what was written (backward), and the
 * present one what will be written (forward), since producers and pipelines are not replaced at one moment.
 */
export const avroProblems = (next: string, present: string): readonly string[] => {
  const [newer, older] = [typeOf(next), typeOf(present)];
  if (newer === null || older === null) return ['one of the two is no Avro schema'];
  return [
    ...unreadable(newer, older, 'cannot read what is written now'),
    ...unreadable(older, newer, 'writes what cannot be read now'),
  ];
};

const typeOf = (text: string): Type | null => {
  try {
    return avsc.Type.forSchema(JSON.parse(text) as Schema);
  } catch {
    return null;
  }
};

const unreadable = (reader: Type, writer: Type, what: string): string[] => {
  try {
    reader.createResolver(writer);
    return [];
  } catch (error) {
    return [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  }
};
