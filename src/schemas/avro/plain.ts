import type { Type } from 'avsc';
import { partOf, partsOf, type Parts } from './parts.ts';

/** Makes what avsc decoded into what JSON can say. Changes the value in place. */
export type Plain = (value: unknown) => unknown;

/** What JSON cannot say. */
export class NotJson extends Error {}

/**
 * Of a type, made once. Bytes become base64, the branch names of a wrapped union go, and a number that is not finite is
 * refused.
 */
export const plainOf = (type: Type): Plain => toPlain(type, new Map());

const same: Plain = (value) => value;

const toPlain = (type: Type, known: Map<Type, Plain>): Plain => {
  const made = known.get(type);
  if (made !== undefined) return made;
  let plain: Plain | null = null;
  // For a record that holds itself.
  known.set(type, (value) => (plain === null ? value : plain(value)));
  plain = makePlain(type, known);
  known.set(type, plain);
  return plain;
};

const makePlain = (type: Type, known: Map<Type, Plain>): Plain => {
  const parts = partsOf(type);
  switch (type.typeName) {
    case 'float':
    case 'double':
      return finite;
    case 'bytes':
    case 'fixed':
      return (value) => (value as Buffer).toString('base64');
    case 'array':
      return items(toPlain(partOf(parts.itemsType), known));
    case 'map':
      return members(toPlain(partOf(parts.valuesType), known));
    case 'record':
    case 'error':
      return record(parts.fields ?? [], known);
    case 'union:unwrapped':
      return unwrapped(parts.types ?? [], known);
    case 'union:wrapped':
      return wrapped(parts.types ?? [], known);
    default:
      return same;
  }
};

const finite: Plain = (value) => {
  if (Number.isFinite(value)) return value;
  throw new NotJson('a number is not finite');
};

const items =
  (plain: Plain): Plain =>
  (value) =>
    plain === same ? value : (value as unknown[]).map(plain);

const members =
  (plain: Plain): Plain =>
  (value) => {
    if (plain === same) return value;
    const map = value as Record<string, unknown>;
    for (const key of Object.keys(map)) map[key] = plain(map[key]);
    return map;
  };

/** Only the fields that need it are looked at. */
const record = (fields: NonNullable<Parts['fields']>, known: Map<Type, Plain>): Plain => {
  const changing = fields
    .map(({ name, type }) => ({ name, plain: toPlain(type, known) }))
    .filter(({ plain }) => plain !== same);
  if (changing.length === 0) return same;
  return (value) => {
    const made = value as Record<string, unknown>;
    for (const { name, plain } of changing) made[name] = plain(made[name]);
    return made;
  };
};

/** The branch of a value shows from what JavaScript says of it: otherwise avsc would have wrapped it. */
const unwrapped = (types: readonly Type[], known: Map<Type, Plain>): Plain => {
  const plains = types.map((type) => ({ type, plain: toPlain(type, known) })).filter(({ plain }) => plain !== same);
  const [only, ...others] = plains;
  if (only === undefined) return same;
  if (others.length === 0 && types.length === 2 && types.some((type) => type.typeName === 'null')) {
    return (value) => (value === null ? null : only.plain(value));
  }
  return (value) => plains.find(({ type }) => type.isValid(value))?.plain(value) ?? value;
};

const wrapped = (types: readonly Type[], known: Map<Type, Plain>): Plain => {
  const byName = new Map(types.map((type) => [type.branchName ?? '', toPlain(type, known)]));
  return (value) => {
    if (value === null) return null;
    const [[name, inner] = ['', null]] = Object.entries(value as Record<string, unknown>);
    return (byName.get(name) ?? same)(inner);
  };
};
