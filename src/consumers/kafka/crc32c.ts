/** CRC-32C (Castagnoli), RFC 3720 appendix B.4, eight bytes a step: Node's zlib.crc32 is the other polynomial. */
const POLYNOMIAL = 0x82f63b78;

const byteRemainder = (byte: number): number => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
};

/** Table n holds the remainder of a byte followed by n zero bytes. */
const tables = (() => {
  const first = Int32Array.from({ length: 256 }, (_, byte) => byteRemainder(byte));
  const all = [first];
  for (let n = 1; n < 8; n += 1) {
    const previous = all[n - 1] ?? first;
    all.push(previous.map((remainder) => (remainder >>> 8) ^ (first[remainder & 0xff] ?? 0)));
  }
  return all as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
})();

/** The checksum of bytes[from, to) as an unsigned 32-bit number. */
export const crc32c = (bytes: Uint8Array, from = 0, to = bytes.length): number => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const at = (index: number) => bytes[index] as number;
  let crc = -1;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const low = crc ^ (at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
    crc =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[at(i + 4)] as number) ^
      (t2[at(i + 5)] as number) ^
      (t1[at(i + 6)] as number) ^
      (t0[at(i + 7)] as number);
  }
  for (; i < to; i += 1) crc = (crc >>> 8) ^ (t0[(crc ^ at(i)) & 0xff] as number);
  return ~crc >>> 0;
};
