import { ProofError } from './proof-error.ts';

export const bytesOfText = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Throws ProofError (`malformed`) unless the bytes are well-formed UTF-8; a byte order mark stays where it is. */
export const textOfBytes = (bytes: Uint8Array, what: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProofError('malformed', `${what} is not UTF-8`);
  }
};
