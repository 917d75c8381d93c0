import { requireProof } from './proof-error.ts';

/** Lower case. */
export const hexOfBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Throws ProofError (`malformed`) unless `hex` is exactly `length` bytes in lower case. */
export const bytesOfHex = (hex: string, length: number): Uint8Array => {
  requireProof(/^[0-9a-f]*$/.test(hex) && hex.length === 2 * length, 'malformed', `not ${length} bytes in hexadecimal`);
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
};
