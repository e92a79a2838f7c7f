import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { compressionsAlgorithms } from '@platformatic/kafka';

import { unpack } from './unpack.ts';

const limit = 1_000_000;
const { snappy, lz4 } = compressionsAlgorithms;
/** As Java writes it: blocks with their lengths behind a head. */
function xerial(...blocks: readonly Buffer[]): Buffer {
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const parts = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([head, ...parts]);
}
const packers: readonly [name: string, kind: number, pack: (bytes: Buffer) => Buffer][] = [
  ['gzip', 1, gzipSync],
  ['snappy', 2, (bytes) => snappy.compressSync(bytes)],
  [
    "Java's snappy",
    2,
    (bytes) => xerial(snappy.compressSync(bytes.subarray(0, 10)), snappy.compressSync(bytes.subarray(10))),
  ],
  ['lz4', 3, (bytes) => lz4.compressSync(bytes)],
  ['zstd', 4, zstdCompressSync],
];

test.each(packers)('unpack: what %s has packed', (_name, kind, pack) => {
  const bytes = Buffer.from('some text, '.repeat(1_000));
  expect(unpack(pack(bytes), kind, limit)).toEqual(bytes);
});

test.each(packers)('unpack: what gets too large by %s is refused', (_name, kind, pack) => {
  expect(() => unpack(pack(Buffer.alloc(20_000_000)), kind, limit)).toThrow(
    expect.objectContaining({ reason: 'InvalidSource', message: expect.stringContaining(String(limit)) }),
  );
});

test.each(packers)('unpack: what is cut off or none of %s is refused', (_name, kind, pack) => {
  const packed = pack(Buffer.from('some text, '.repeat(1_000)));
  for (const bytes of [packed.subarray(0, packed.length >> 1), Buffer.from('none of it at all'), Buffer.alloc(0)])
    expect(() => unpack(bytes, kind, limit)).toThrow(expect.objectContaining({ reason: 'InvalidSource' }));
});

test('unpack: nothing is packed, or nobody knows how', () => {
  const bytes = Buffer.from('x');
  expect(unpack(bytes, 0)).toBe(bytes);
  expect(() => unpack(bytes, 5)).toThrow(expect.objectContaining({ reason: 'InvalidSource' }));
});
