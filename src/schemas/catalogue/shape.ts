/**
 * What a JSON value may be, as data: from it come the type that a producer fills in, the check of what arrives
 * (check.ts), JSON Schema (json-schema.ts), Avro (avro-schema.ts) and the page docs/events.md. Lengths are in Unicode
 * code points, as JSON Schema counts them.
 */
export type Shape<T = unknown> = Form & { readonly [typed]?: T };

declare const typed: unique symbol;

/** The TypeScript type of the values that a shape allows. */
export type TypeOf<S> = S extends { readonly [typed]?: infer T } ? Exclude<T, undefined> : never;

export type Form = Text | OneOf | Whole | Fraction | YesNo | TextMap | List | Document | Fields;

export type Text = {
  readonly kind: 'text';
  readonly min: number;
  readonly max: number;
  /** In words, what the pattern asks for. */
  readonly form?: { readonly pattern: RegExp; readonly words: string };
};
export type OneOf = { readonly kind: 'one-of'; readonly values: readonly string[] };
export type Whole = { readonly kind: 'whole'; readonly min: number; readonly max: number };
export type Fraction = { readonly kind: 'fraction'; readonly min: number; readonly max: number };
export type YesNo = { readonly kind: 'yes-no' };
export type TextMap = { readonly kind: 'text-map'; readonly max: number; readonly values: Text };
export type List = { readonly kind: 'list'; readonly max: number; readonly items: Text };
/** Any JSON object. */
export type Document = { readonly kind: 'document' };
/** An object with named fields; others are kept and not judged. Null in an optional field counts as absent. */
export type Fields = {
  readonly kind: 'fields';
  readonly required: Readonly<Record<string, Shape>>;
  readonly optional: Readonly<Record<string, Shape>>;
};

export const text = (max: number, min = 0): Shape<string> => ({ kind: 'text', min, max });

export const textLike = (pattern: RegExp, words: string, max: number): Shape<string> => ({
  kind: 'text',
  min: 1,
  max,
  form: { pattern, words },
});

export const oneOf = <const V extends readonly string[]>(...values: V): Shape<V[number]> => ({
  kind: 'one-of',
  values,
});

export const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER): Shape<number> => ({
  kind: 'whole',
  min,
  max,
});

export const fraction = (min: number, max: number): Shape<number> => ({ kind: 'fraction', min, max });

export const yesNo: Shape<boolean> = { kind: 'yes-no' };

export const textMap: Shape<Readonly<Record<string, string>>> = {
  kind: 'text-map',
  max: 256,
  values: { kind: 'text', min: 0, max: 16_384 },
};

export const list = (max: number): Shape<readonly string[]> => ({
  kind: 'list',
  max,
  items: { kind: 'text', min: 0, max: 16_384 },
});

export const document: Shape<Readonly<Record<string, unknown>>> = { kind: 'document' };

type Members = Readonly<Record<string, Shape>>;
type Flat<T> = { readonly [K in keyof T]: T[K] };
export type ObjectOf<R extends Members, O extends Members> = Flat<
  { readonly [K in keyof R]: TypeOf<R[K]> } & { readonly [K in keyof O]?: TypeOf<O[K]> | undefined }
>;

/** Typed by its fields, which can be taken up into another object's by spreading. */
export type FieldsShape<R extends Members, O extends Members> = Fields & {
  readonly required: R;
  readonly optional: O;
  readonly [typed]?: ObjectOf<R, O>;
};

// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- no optional fields
export const object = <const R extends Members, const O extends Members = {}>(
  required: R,
  optional?: O,
): FieldsShape<R, O> => ({ kind: 'fields', required, optional: optional ?? ({} as O) });

/** The fields of both; where both name one, the second counts. */
export const and = <R1 extends Members, O1 extends Members, R2 extends Members, O2 extends Members>(
  first: FieldsShape<R1, O1>,
  second: FieldsShape<R2, O2>,
): FieldsShape<R1 & R2, O1 & O2> => ({
  kind: 'fields',
  required: { ...first.required, ...second.required },
  optional: { ...first.optional, ...second.optional },
});
