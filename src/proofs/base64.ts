import { requireProof } from './proof-error.ts';

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Standard base64 with padding. */
export const base64OfBytes = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const group = (a << 16) | (b << 8) | c;
    text += [18, 12, 6, 0].map((shift) => digits.charAt((group >> shift) & 63)).join('');
  }
  const rest = bytes.length % 3;
  return rest === 0 ? text : text.slice(0, rest - 3) + '='.repeat(3 - rest);
};

/**
 * Throws ProofError (`malformed`) unless `text` is exactly what `base64OfBytes` makes of some bytes, so that no two
 * texts stand for the same bytes. `what` names it in the message.
 */
export const bytesOfBase64 = (text: string, what: string): Uint8Array => {
  const isShaped = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  requireProof(isShaped, 'malformed', `${what} is not base64`);
  const values = Uint8Array.from(text.replace(/=+$/, ''), (digit) => digits.indexOf(digit));
  const bytes = new Uint8Array(Math.floor((values.length * 6) / 8));
  for (const i of bytes.keys()) {
    const at = Math.floor((i * 8) / 6);
    const pair = ((values[at] ?? 0) << 6) | (values[at + 1] ?? 0);
    bytes[i] = pair >> (4 - ((i * 8) % 6));
  }
  requireProof(base64OfBytes(bytes) === text, 'malformed', `${what} is not base64 in its one form`);
  return bytes;
};
