import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { compressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';
import { inflateLz4 } from './lz4-frame.ts';

/**
 * Every codec of Kafka, both ways, on the caller's thread: for batches of 1 MiB gunzipSync and zstdDecompressSync are
 * three times as fast as their asynchronous forms (522 and 644 against 187 and 225 MiB/s, Node 24, two cores).
 */
export type Codec = { compress(bytes: Buffer): Buffer; decompress(bytes: Buffer): Buffer };

/** Most bytes that one record batch may inflate to. Brokers take 1 MiB batches by default; 64 MiB is a bomb. */
export const maxInflatedBytes = 64 * 1024 * 1024;

const tooLarge = (bytes: number | bigint): Error =>
  new Error(`it inflates to ${bytes} bytes, more than ${maxInflatedBytes}`);

const gzip: Codec = {
  compress: (bytes) => gzipSync(bytes),
  decompress: (bytes) => gunzipSync(bytes, { maxOutputLength: maxInflatedBytes }),
};

const zstd: Codec = {
  compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
  decompress: (bytes) => zstdDecompressSync(bytes, { maxOutputLength: maxInflatedBytes }),
};

/** snappy-java's stream: this header, version and compatible version, then blocks, each with its length before it. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;
const xerialBlockBytes = 32 * 1024;

const snappy: Codec = {
  compress: (bytes) => {
    const header = Buffer.alloc(xerialHeaderBytes);
    xerialMagic.copy(header);
    header.writeInt32BE(1, 8);
    header.writeInt32BE(1, 12);
    const blocks: Buffer[] = [header];
    for (let at = 0; at < bytes.length; at += xerialBlockBytes) {
      const block = compressSync(bytes.subarray(at, at + xerialBlockBytes));
      const length = Buffer.alloc(4);
      length.writeInt32BE(block.length);
      blocks.push(length, block);
    }
    return Buffer.concat(blocks);
  },
  decompress: (bytes) =>
    bytes.length >= xerialHeaderBytes && bytes.subarray(0, 8).equals(xerialMagic)
      ? inflateXerial(bytes)
      : inflateSnappy(bytes, maxInflatedBytes),
};

const inflateXerial = (bytes: Buffer): Buffer => {
  const blocks: Buffer[] = [];
  let room = maxInflatedBytes;
  for (let at = xerialHeaderBytes; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    if (length < 0 || at + 4 + length > bytes.length) throw new Error(`a block of ${length} bytes does not fit`);
    const block = inflateSnappy(bytes.subarray(at + 4, at + 4 + length), room);
    room -= block.length;
    blocks.push(block);
    at += 4 + length;
  }
  return blocks.length === 1 && blocks[0] ? blocks[0] : Buffer.concat(blocks);
};

/** A raw block begins with its inflated length as a varint, by which the library allocates. */
const inflateSnappy = (bytes: Buffer, maxBytes: number): Buffer => {
  let length = 0;
  for (let i = 0; i < 5; i += 1) {
    const byte = bytes[i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  if (length > maxBytes) throw tooLarge(length);
  // The other way it hands out memory that V8 does not count, and so does not free in time.
  return uncompressSync(bytes, { copyOutputData: true }) as Buffer;
};

const lz4: Codec = {
  compress: (bytes) => compressFrameSync(bytes),
  decompress: (bytes) => inflateLz4(bytes, maxInflatedBytes),
};

export const codecs = { gzip, snappy, lz4, zstd } as const;

type KafkajsEncoder = { readonly buffer: Buffer };

/** kafkajs hands over its encoder and awaits what comes back. */
const forKafkajs = (codec: Codec) => () => ({
  compress: async (encoder: KafkajsEncoder): Promise<Buffer> => Promise.resolve(codec.compress(encoder.buffer)),
  decompress: async (bytes: Buffer): Promise<Buffer> => Promise.resolve(codec.decompress(bytes)),
});

/** Puts every codec into kafkajs, whose own is gzip without a limit. May be called again. */
export const registerCodecs = (): void => {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.GZIP] = forKafkajs(gzip);
  CompressionCodecs[CompressionTypes.Snappy] = forKafkajs(snappy);
  CompressionCodecs[CompressionTypes.LZ4] = forKafkajs(lz4);
  CompressionCodecs[CompressionTypes.ZSTD] = forKafkajs(zstd);
};
