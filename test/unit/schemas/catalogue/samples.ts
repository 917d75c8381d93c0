import fc from 'fast-check';
import type { Form, Shape } from '../../../../src/schemas/catalogue/shape.ts';

/** Right values of a shape. Texts with a form are drawn from its pattern. */
export const rightValues = (shape: Shape): fc.Arbitrary<unknown> => valuesOf(shape);

const text = (min: number, max: number) =>
  fc.string({ unit: 'grapheme-ascii', minLength: min, maxLength: Math.min(max, min + 12) });

const valuesOf = (shape: Form): fc.Arbitrary<unknown> => {
  switch (shape.kind) {
    case 'text':
      return shape.form === undefined
        ? text(shape.min, shape.max)
        : fc.constantFrom(...examples).filter((value) => shape.form?.pattern.test(value) === true);
    case 'one-of':
      return fc.constantFrom(...shape.values);
    case 'whole':
      return fc.integer({ min: Math.max(shape.min, -(2 ** 40)), max: Math.min(shape.max, 2 ** 40) });
    case 'fraction':
      return fc.double({ min: shape.min, max: shape.max, noNaN: true });
    case 'yes-no':
      return fc.boolean();
    case 'text-map':
      return fc.dictionary(fc.string({ minLength: 1 }), text(0, 20), { maxKeys: 5, noNullPrototype: true });
    case 'list':
      return fc.array(text(0, 20), { maxLength: Math.min(shape.max, 4) });
    case 'document':
      return fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 3 }), {
        maxKeys: 4,
        noNullPrototype: true,
      });
    case 'fields': {
      const required = Object.keys(shape.required);
      const all = { ...shape.optional, ...shape.required };
      const model = Object.fromEntries(Object.entries(all).map(([name, inner]) => [name, valuesOf(inner)]));
      return fc.record(model, { requiredKeys: required, noNullPrototype: true });
    }
  }
};

/** One or more for each form that the catalogue asks for. */
const examples = [
  '0'.repeat(64),
  'a1'.repeat(32),
  '2026-03-02T08:14:05.120Z',
  '1999-12-31T23:59:59+01:00',
  '30m',
  '1h0m0s',
  'ERR_K8S_TASK',
  'ERR_TIMEOUT_WAIT',
  'Checked the node pool by hand with the on-call engineer today',
  '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
  'gateway.signal.received',
  '2026-03-02',
];
