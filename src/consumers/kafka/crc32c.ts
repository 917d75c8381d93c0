/** CRC-32C (Castagnoli), RFC 3720 appendix B.4, eight bytes a step: Node's zlib.crc32 is the other polynomial. */
const polynomial = 0x82f63b78;

const byteRemainder = (byte: number): number => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
  return remainder;
};

/** Eight tables of 256 remainders: of a byte that n zero bytes follow. A view's reads are typed and quick. */
const tables = (() => {
  const view = new DataView(new ArrayBuffer(8 * 256 * 4));
  for (let byte = 0; byte < 256; byte += 1) view.setInt32(byte << 2, byteRemainder(byte), true);
  for (let at = 256; at < 8 * 256; at += 1) {
    const shorter = view.getInt32((at - 256) << 2, true);
    view.setInt32(at << 2, (shorter >>> 8) ^ view.getInt32((shorter & 0xff) << 2, true), true);
  }
  return view;
})();

/** The checksum of bytes[from, to) as an unsigned 32-bit number. */
export const crc32c = (bytes: Uint8Array, from = 0, to = bytes.length): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = -1;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const low = crc ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    crc =
      tables.getInt32(0x1c00 + ((low << 2) & 0x3fc), true) ^
      tables.getInt32(0x1800 + ((low >>> 6) & 0x3fc), true) ^
      tables.getInt32(0x1400 + ((low >>> 14) & 0x3fc), true) ^
      tables.getInt32(0x1000 + ((low >>> 22) & 0x3fc), true) ^
      tables.getInt32(0x0c00 + ((high << 2) & 0x3fc), true) ^
      tables.getInt32(0x0800 + ((high >>> 6) & 0x3fc), true) ^
      tables.getInt32(0x0400 + ((high >>> 14) & 0x3fc), true) ^
      tables.getInt32((high >>> 22) & 0x3fc, true);
  }
  for (; i < to; i += 1) crc = (crc >>> 8) ^ tables.getInt32(((crc ^ view.getUint8(i)) & 0xff) << 2, true);
  return ~crc >>> 0;
};
