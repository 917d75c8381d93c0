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

const look = (table: Int32Array | Uint8Array, index: number): number => table[index] ?? 0;

/** The checksum of bytes[from, to) as an unsigned 32-bit number. */
export const crc32c = (bytes: Uint8Array, from = 0, to = bytes.length): number => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = -1;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const low =
      crc ^ (look(bytes, i) | (look(bytes, i + 1) << 8) | (look(bytes, i + 2) << 16) | (look(bytes, i + 3) << 24));
    crc =
      look(t7, low & 0xff) ^
      look(t6, (low >>> 8) & 0xff) ^
      look(t5, (low >>> 16) & 0xff) ^
      look(t4, low >>> 24) ^
      look(t3, look(bytes, i + 4)) ^
      look(t2, look(bytes, i + 5)) ^
      look(t1, look(bytes, i + 6)) ^
      look(t0, look(bytes, i + 7));
  }
  for (; i < to; i += 1) crc = (crc >>> 8) ^ look(t0, (crc ^ look(bytes, i)) & 0xff);
  return ~crc >>> 0;
};
