/** The same with every byte array as hexadecimal and every bigint as digits, so that what two sources made compares. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'bigint') return `n${value.toString()}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
};

/** What `plain` was made of: no other text in it may begin with x or n. */
export const revived = (value: unknown): unknown => {
  if (typeof value === 'string') return fromText(value);
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revived(each)]));
};

const fromText = (text: string): unknown => {
  if (text.startsWith('x')) return Uint8Array.from(Buffer.from(text.slice(1), 'hex'));
  return text.startsWith('n') ? BigInt(text.slice(1)) : text;
};
