/**
 * Inflates an lz4 frame. Own, because lz4-napi hands out memory that V8 does not count: 2,000 batches of 1 MiB in a
 * row held 2.1 GB; and it has no limit. Formats: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and
 * lz4_Block_format.md. Its checksums are not looked at: the record batch around it has its own.
 */
const magic = 0x184d2204;
const blockBytesById: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 };
const storedBit = 0x80000000;

type Block = { readonly from: number; readonly to: number; readonly isStored: boolean };

/** Throws when the frame is damaged or inflates to more than `maxBytes`. */
export const inflateLz4 = (frame: Buffer, maxBytes: number): Buffer => {
  const { blocks, blockBytes } = readFrame(frame);
  const stored = blocks.reduce((sum, { from, to, isStored }) => sum + (isStored ? to - from : blockBytes), 0);
  const out = workspace(Math.min(stored, maxBytes));
  let at = 0;
  for (const block of blocks) {
    // A block may repeat what earlier blocks inflated to, so all go to one place.
    at = block.isStored ? copyBlock(frame, block, out, at) : inflateBlock(frame, block, out, at);
  }
  return Buffer.from(out.subarray(0, at));
};

/** A frame says how large its blocks may be, not how large they are: up to 4 MiB for a few bytes. */
const mostKeptBytes = 4 * 1024 * 1024;
let kept = Buffer.alloc(0);

/** Where one frame is inflated; what comes out is copied, so that no record holds on to room that was not needed. */
const workspace = (bytes: number): Buffer => {
  if (bytes > mostKeptBytes) return Buffer.allocUnsafe(bytes);
  if (kept.length < bytes) kept = Buffer.allocUnsafeSlow(bytes);
  return kept.subarray(0, bytes);
};

const readFrame = (frame: Buffer): { blocks: Block[]; blockBytes: number } => {
  if (frame.length < 7 || frame.readUInt32LE(0) !== magic) throw new Error('it is not an lz4 frame');
  const flags = frame.readUInt8(4);
  const blockBytes = blockBytesById[(frame.readUInt8(5) >> 4) & 0x07];
  if (blockBytes === undefined) throw new Error('the lz4 frame states no known block size');
  const checksumBytes = flags & 0x10 ? 4 : 0;
  const blocks: Block[] = [];
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  while (at + 4 <= frame.length) {
    const size = frame.readUInt32LE(at);
    if (size === 0) return { blocks, blockBytes };
    const isStored = size >= storedBit;
    const from = at + 4;
    const to = from + (isStored ? size - storedBit : size);
    blocks.push({ from, to, isStored });
    at = to + checksumBytes;
  }
  throw new Error('the lz4 frame ends early');
};

const noRoom = (out: Buffer): Error => new Error(`it inflates to more than ${out.length} bytes`);

const copyBlock = (frame: Buffer, { from, to }: Block, out: Buffer, at: number): number => {
  if (to - from > out.length - at) throw noRoom(out);
  return at + frame.copy(out, at, from, to);
};

/** A block is a row of sequences: some bytes as they are, then a repetition of what came before. */
const inflateBlock = (frame: Buffer, { from, to }: Block, out: Buffer, start: number): number => {
  let read = from;
  let at = start;
  const next = (): number => {
    const byte = read < to ? frame[read] : undefined;
    if (byte === undefined) throw new Error('an lz4 block ends early');
    read += 1;
    return byte;
  };
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; length += byte) byte = next();
    return length;
  };
  while (read < to) {
    const token = next();
    const literals = lengthFrom(token >> 4);
    if (literals > to - read) throw new Error('an lz4 block ends early');
    if (literals > out.length - at) throw noRoom(out);
    copyBytes(frame, read, out, at, literals);
    read += literals;
    at += literals;
    if (read === to) return at;
    const distance = next() | (next() << 8);
    const length = lengthFrom(token & 15) + 4;
    if (distance === 0 || distance > at) throw new Error('an lz4 block repeats what is not there');
    if (length > out.length - at) throw noRoom(out);
    repeat(out, at, distance, length);
    at += length;
  }
  return at;
};

const copyBytes = (source: Buffer, from: number, target: Buffer, at: number, length: number): void => {
  if (length > 32) source.copy(target, at, from, from + length);
  else for (let i = 0; i < length; i += 1) target[at + i] = source[from + i] ?? 0;
};

/** The repeated bytes may overlap with what they make: a run of one byte is a distance of 1. */
const repeat = (out: Buffer, at: number, distance: number, length: number): void => {
  if (length > 32 && distance >= length) out.copyWithin(at, at - distance, at - distance + length);
  else for (let i = at; i < at + length; i += 1) out[i] = out[i - distance] ?? 0;
};
