import { eventTypeOf, eventTypes, renamedTypes } from '../catalogue/services.ts';
import type { Fields, Form, Text } from '../catalogue/shape.ts';
import {
  firstItem,
  firstMember,
  nextItem,
  nextMember,
  takeBoolean,
  takeName,
  takeNull,
  takeNumber,
  takeObject,
  takeText,
  takeValue,
  type Cursor,
  type Move,
} from './cursor.ts';
import { textTaken } from './kept-texts.ts';
import { membersOf } from './members.ts';

/**
 * Takes the payload of an event of one type. True: it is JSON, and check.ts has nothing to say of it. False: something
 * about it is wrong or unusual, and the long way has to tell.
 */
export type PayloadWalk = (cursor: Cursor) => boolean;

/** Takes one value. */
type Step = (cursor: Cursor) => boolean;

/** Texts are measured in bytes as they are written, which are never fewer than code points, and none for none. */
const textStep = ({ min, max, form }: Text): Step => {
  if (min > 1) throw new RangeError('a text of at least 2 characters cannot be measured in bytes');
  const fits = (cursor: Cursor): boolean => {
    if (!takeText(cursor)) return false;
    const length = cursor.to - cursor.from;
    return length >= min && length <= max;
  };
  return form === undefined ? fits : (cursor) => fits(cursor) && form.pattern.test(textTaken(cursor));
};

const numberStep =
  (isNumber: (value: unknown) => boolean, { min, max }: { readonly min: number; readonly max: number }): Step =>
  (cursor) => {
    const value = takeNumber(cursor);
    return value !== undefined && isNumber(value) && value >= min && value <= max;
  };

const stepOf = (shape: Form): Step => {
  switch (shape.kind) {
    case 'text':
      return textStep(shape);
    case 'one-of': {
      const values = new Set(shape.values);
      return (cursor) => takeText(cursor) && values.has(textTaken(cursor));
    }
    case 'whole':
      return numberStep(Number.isSafeInteger, shape);
    case 'fraction':
      return numberStep(Number.isFinite, shape);
    case 'yes-no':
      return (cursor) => takeBoolean(cursor) !== undefined;
    case 'text-map':
      return manyStep(firstMember, nextMember, named(textStep(shape.values)), shape.max);
    case 'list':
      return manyStep(firstItem, nextItem, textStep(shape.items), shape.max);
    case 'document':
      return takeObject;
    case 'fields':
      return fieldsStep(shape);
  }
};

const named =
  (step: Step): Step =>
  (cursor) =>
    takeName(cursor) && step(cursor);

const manyStep =
  (first: Move, following: Move, step: Step, max: number): Step =>
  (cursor) => {
    let count = 0;
    let next = first(cursor);
    for (; next === 'more'; next = following(cursor)) if (++count > max || !step(cursor)) return false;
    return next === 'end';
  };

type Member = { readonly isRequired: boolean; readonly step: Step; readonly index: number };

/** Null in a field counts as absent, and fields that are not known are not judged. */
const fieldsStep = ({ required, optional }: Fields): Step => {
  const shapes = Object.entries({ ...optional, ...required });
  const members = membersOf<Member>(
    new Map(shapes.map(([name, shape], index) => [name, { isRequired: name in required, step: stepOf(shape), index }])),
  );
  const requiredCount = Object.keys(required).length;
  // In which walk each member was met last: one that comes twice is unusual.
  const metIn = new Float64Array(shapes.length);
  let walk = 0;
  return (cursor) => {
    walk++;
    let missing = requiredCount;
    let ordinal = 0;
    let next = firstMember(cursor);
    for (; next === 'more'; next = nextMember(cursor)) {
      const member = members.take(cursor, ordinal++);
      if (member === undefined) {
        if (!takeValue(cursor)) return false;
        continue;
      }
      if (member === null || metIn[member.index] === walk) return false;
      metIn[member.index] = walk;
      if (takeNull(cursor)) continue;
      if (member.isRequired) missing--;
      if (!member.step(cursor)) return false;
    }
    return next === 'end' && missing === 0;
  };
};

/** The payload of any type repeats it, or does not name one. */
const walkOf = (type: string): PayloadWalk => {
  const payload = eventTypeOf(type)?.payload;
  const own: Fields = payload?.kind === 'fields' ? payload : { kind: 'fields', required: {}, optional: {} };
  return fieldsStep({ ...own, optional: { ...own.optional, event_type: { kind: 'one-of', values: [type] } } });
};

const walks: ReadonlyMap<string, PayloadWalk> = new Map(
  [...eventTypes.keys(), ...renamedTypes.keys()].map((type) => [type, walkOf(type)]),
);

/** Of a type that the catalogue does not have: any object. */
export const payloadWalkOf = (eventType: string): PayloadWalk => walks.get(eventType) ?? takeObject;
