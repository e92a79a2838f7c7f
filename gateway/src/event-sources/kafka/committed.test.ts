import { expect, test } from '@jest/globals';

import { committedRecords } from './committed.ts';
import type { AbortedTransaction } from './fetch-answer.ts';
import { batchBytes, by, marker } from './testing-batches.ts';

const aborted = (producerId: bigint, firstOffset: number): AbortedTransaction => ({
  producerId,
  firstOffset: BigInt(firstOffset),
});
const part = batchBytes(3, 2).subarray(0, -1);

test.each<
  [reason: string, from: number, batches: Buffer[], aborted: AbortedTransaction[], offsets: number[], next: number]
>([
  ['nothing came', 5, [], [], [], 5],
  ['all of a batch', 0, [batchBytes(0, 3)], [], [0, 1, 2], 3],
  ['of a packed one, too', 0, [batchBytes(0, 3, { compression: 'gzip' })], [], [0, 1, 2], 3],
  ['not what is cut off', 0, [batchBytes(0, 3), part], [], [0, 1, 2], 3],
  ['not what is before the offset', 2, [batchBytes(0, 4)], [], [2, 3], 4],
  ['compacted to its end', 0, [batchBytes(0, 1, { lastOffsetDelta: 9 })], [], [0], 10],
  ['only what is before the offset', 5, [batchBytes(0, 2)], [], [], 5],
  ['committed, without its marker', 0, [batchBytes(0, 2, by(7n)), marker(2, 7n, 'commit')], [], [0, 1], 3],
  [
    'aborted, the next one of the same producer not',
    0,
    [batchBytes(0, 2, by(7n)), marker(2, 7n, 'abort'), batchBytes(3, 1, by(7n)), marker(4, 7n, 'commit')],
    [aborted(7n, 0)],
    [3],
    5,
  ],
  [
    'aborted twice, in any order of the list; another producer and none between them',
    0,
    [
      batchBytes(0, 1, by(7n)),
      batchBytes(1, 1, by(8n)),
      batchBytes(2, 1),
      marker(3, 7n, 'abort'),
      batchBytes(4, 1, by(7n)),
      marker(5, 7n, 'abort'),
    ],
    [aborted(7n, 4), aborted(7n, 0)],
    [1, 2],
    6,
  ],
  [
    'aborted before the offset that was asked for',
    3,
    [batchBytes(3, 1, by(7n)), marker(4, 7n, 'abort')],
    [aborted(7n, 0)],
    [],
    5,
  ],
])('committedRecords: %s', (_reason, from, batches, transactions, offsets, next) => {
  const { records, nextOffset } = committedRecords(
    { bytes: Buffer.concat(batches), aborted: transactions },
    BigInt(from),
  );
  expect([records.map(({ offset }) => Number(offset)), Number(nextOffset)]).toEqual([offsets, next]);
});

test('small records that were packed well come in parts, none twice and none left out', () => {
  const bytes = Buffer.concat([
    batchBytes(0, 4_000, { compression: 'lz4' }),
    batchBytes(4_000, 15_000, { compression: 'zstd' }),
    batchBytes(19_000, 2_000),
  ]);
  const sizes: number[] = [];
  let next = 0n;
  while (next < 21_000n) {
    const { records, nextOffset } = committedRecords({ bytes, aborted: [] }, next);
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, at) => next + BigInt(at)));
    sizes.push(records.length);
    next = nextOffset;
  }
  expect(sizes).toEqual([10_000, 10_000, 1_000]);
});

test('what gets large is left for the next fetch', () => {
  const value = Buffer.alloc(20 * 1024 * 1024);
  const bytes = Buffer.concat([0, 1, 2].map((offset) => batchBytes(offset, 1, { compression: 'gzip', value })));
  const first = committedRecords({ bytes, aborted: [] }, 0n);
  expect([first.records.length, first.nextOffset]).toEqual([2, 2n]);
  expect(first.bytes).toBeGreaterThan(40 * 1024 * 1024);
  expect(committedRecords({ bytes, aborted: [] }, first.nextOffset)).toMatchObject({ nextOffset: 3n });
});

test('a format from before Kafka 0.11 is refused', () => {
  const bytes = batchBytes(0, 1);
  bytes.writeInt8(1, 16);
  expect(() => committedRecords({ bytes, aborted: [] }, 0n)).toThrow(
    expect.objectContaining({ reason: 'InvalidSource' }),
  );
});

test('of a batch that cannot be unpacked it is told which one it is', () => {
  const broken = batchBytes(17, 3, { compression: 'gzip' });
  broken.fill(0, 61);
  const bytes = Buffer.concat([batchBytes(0, 2), broken]);
  expect(() => committedRecords({ bytes, aborted: [] }, 0n)).toThrow(
    expect.objectContaining({ reason: 'InvalidSource', message: expect.stringContaining('offsets 17 to 19: ') }),
  );
});
