import type { Type } from 'avsc';

/** What an Avro type is made of, which avsc's types do not say. */
export type Parts = {
  readonly fields?: readonly { readonly name: string; readonly type: Type }[];
  readonly types?: readonly Type[];
  readonly itemsType?: Type;
  readonly valuesType?: Type;
  readonly symbols?: readonly string[];
  readonly size?: number;
  readonly underlyingType?: Type;
};

export const partsOf = (type: Type): Parts => type as unknown as Parts;

/** A part that a type of this kind always has. */
export const partOf = (type: Type | undefined): Type => {
  if (type === undefined) throw new Error('an Avro type without its parts');
  return type;
};
