import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';

import { SourceProblem } from '../source-problem.ts';

/** A batch of records may get so large. Producers make them of 1 MB at most, if nobody told them otherwise. */
export const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEAD = 16;
const LZ4_MAGIC = 0x184d2204;

/** By the bits of a batch's attributes. */
const unpackers: readonly ((packed: Buffer, limit: number) => Buffer)[] = [
  (packed) => packed,
  (packed, maxOutputLength) => gunzipSync(packed, { maxOutputLength }),
  (packed, limit) => guarded(snappyBytes(packed), limit, () => compressionsAlgorithms.snappy.decompressSync(packed)),
  (packed, limit) => guarded(lz4Bytes(packed), limit, () => compressionsAlgorithms.lz4.decompressSync(packed)),
  (packed, maxOutputLength) => zstdDecompressSync(packed, { maxOutputLength }),
];

/**
 * Unpacks records. A megabyte can hold a gigabyte of the same: what would get too large is not begun.
 *
 * @param kind of compression: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd
 * @throws SourceProblem `InvalidSource`
 */
export function unpack(packed: Buffer, kind: number, limit = MAX_UNPACKED_BYTES): Buffer {
  try {
    const unpacker = unpackers[kind];
    if (unpacker === undefined) throw new Error(`compression ${kind} is not known`);
    return unpacker(packed, limit);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const text = `a batch of records cannot be unpacked, or gets larger than ${limit} bytes: ${why}`;
    throw new SourceProblem('InvalidSource', text, { cause: error });
  }
}

function guarded(bytes: number, limit: number, unpackAll: () => Buffer): Buffer {
  if (bytes > limit) throw new Error(`it has ${bytes} bytes`);
  return unpackAll();
}

/** What it says it gets: of one block, or of Xerial's, which Java writes. */
function snappyBytes(packed: Buffer): number {
  if (!packed.subarray(0, XERIAL.length).equals(XERIAL)) return varintOf(packed);
  let bytes = 0;
  for (let at = XERIAL_HEAD; at + 4 <= packed.length; ) {
    const length = packed.readUInt32BE(at);
    bytes += varintOf(packed.subarray(at + 4));
    at += 4 + length;
  }
  return bytes;
}

function varintOf(bytes: Buffer): number {
  let value = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return value;
  }
  return Number.POSITIVE_INFINITY;
}

/** At most: each block counts as a full one. @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
function lz4Bytes(packed: Buffer): number {
  let bytes = 0;
  let at = 0;
  do {
    const frame = lz4Frame(packed, at);
    bytes += frame.bytes;
    at = frame.end;
  } while (at < packed.length);
  return bytes;
}

/** @throws RangeError when it is cut off */
function lz4Frame(packed: Buffer, start: number): { bytes: number; end: number } {
  const flags = packed.readUInt8(start + 4);
  const blockKind = (packed.readUInt8(start + 5) >> 4) & 0b111;
  if (packed.readUInt32LE(start) !== LZ4_MAGIC || blockKind < 4) throw new Error('it is no frame of lz4');
  const blockBytes = 256 << (2 * blockKind); // 64 KiB to 4 MiB
  /** Of a member that is there when its bit is set. */
  const lengthOf = (bit: number, length: number): number => ((flags & bit) === 0 ? 0 : length);
  const [blockCheck, size, endCheck, dictionary] = [
    lengthOf(0b1_0000, 4),
    lengthOf(0b1000, 8),
    lengthOf(0b100, 4),
    lengthOf(0b1, 4),
  ];
  let blocks = 0;
  let at = start + 7 + size + dictionary;
  for (let length = packed.readUInt32LE(at); length !== 0; length = packed.readUInt32LE(at)) {
    blocks += 1;
    at += 4 + (length & 0x7fff_ffff) + blockCheck;
  }
  return { bytes: blocks * blockBytes, end: at + 4 + endCheck };
}
