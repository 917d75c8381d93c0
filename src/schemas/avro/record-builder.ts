/** Makes an object of those values whose bit is set, the first field's highest. */
export type Build = (present: number, values: readonly unknown[]) => Readonly<Record<string, unknown>>;

type Make = (values: readonly unknown[]) => Readonly<Record<string, unknown>>;

/** A bit for each, in an integer that V8 keeps as it is. */
const maxFields = 30;

/** Of a record: few of the combinations of what may be absent come at all. */
const maxMakers = 32;

/** Null: it has too many fields, or one that must not be set like another. */
export const builderOf = (names: readonly string[]): Build | null => {
  if (names.length > maxFields || names.includes('__proto__')) return null;
  const makers = new Map<number, Make>();
  return (present, values) => {
    const known = makers.get(present);
    if (known !== undefined) return known(values);
    const there = names
      .map((name, at) => ({ name, at }))
      .filter(({ at }) => ((present >> (names.length - 1 - at)) & 1) === 1);
    if (makers.size >= maxMakers) return Object.fromEntries(there.map(({ name, at }) => [name, values[at]]));
    const members = there.map(({ name, at }) => `${JSON.stringify(name)}: values[${at}]`);
    // An object made of a literal is several times as quick as one that grows; the names in it are JSON texts.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function('values', `return { ${members.join(', ')} };`) as Make;
    makers.set(present, make);
    return make(values);
  };
};
