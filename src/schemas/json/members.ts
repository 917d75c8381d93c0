import { type Cursor, takeBytes, takeName } from './cursor.ts';
import { textTaken } from './kept-texts.ts';

/** The members of an object that something is known of, by their names. */
export type Members<T> = {
  /**
   * Takes the name of the object's member number `ordinal`, from 0. Undefined: one that nothing is known of, and the
   * text taken is its name. Null: there is no name, or it is unusual.
   */
  take(cursor: Cursor, ordinal: number): T | undefined | null;
};

type Expected<T> = { readonly bytes: Buffer; readonly value: T };

/**
 * Objects of one kind mostly come from the same few programs, which write their members in the same order: so at each
 * place the name that came there last is compared first, which costs a third of looking it up.
 */
export const membersOf = <T>(known: ReadonlyMap<string, T>): Members<T> => {
  const all = new Map<string, Expected<T>>();
  for (const [name, value] of known) all.set(name, { bytes: Buffer.from(`"${name}":`), value });
  const expected: Expected<T>[] = [...all.values()];
  return {
    take: (cursor, ordinal) => {
      const likely = expected[ordinal];
      if (likely !== undefined && takeBytes(cursor, likely.bytes)) return likely.value;
      if (!takeName(cursor) || cursor.isEscaped) return null;
      const found = all.get(textTaken(cursor));
      if (found === undefined) return undefined;
      if (ordinal < expected.length) expected[ordinal] = found;
      return found.value;
    },
  };
};
