import { expect, test } from '@jest/globals';
import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka';

import { committedRecords } from './committed.ts';

const record = (offsetDelta: number, key: Buffer | null = null): KafkaRecord => ({
  length: 0,
  attributes: 0,
  timestampDelta: 0n,
  offsetDelta,
  key,
  value: null,
  headers: [],
});

/** A batch of `count` records from an offset on. */
function batch(firstOffset: number, count: number, over: Partial<RecordsBatch> = {}): RecordsBatch {
  return {
    firstOffset: BigInt(firstOffset),
    length: 100,
    partitionLeaderEpoch: 0,
    magic: 2,
    crc: 0,
    attributes: 0,
    lastOffsetDelta: count - 1,
    firstTimestamp: 0n,
    maxTimestamp: 0n,
    producerId: -1n,
    producerEpoch: 0,
    firstSequence: 0,
    records: Array.from({ length: count }, (_, at) => record(at)),
    ...over,
  };
}

const by = (producerId: bigint): Partial<RecordsBatch> => ({ producerId, attributes: 0b1_0000 });
const marker = (offset: number, producerId: bigint, kind: 0 | 1): RecordsBatch =>
  batch(offset, 1, { producerId, attributes: 0b11_0000, records: [record(0, Buffer.from([0, 0, 0, kind]))] });
const aborted = (producerId: bigint, firstOffset: number) => ({ producerId, firstOffset: BigInt(firstOffset) });

test.each<
  [
    reason: string,
    from: number,
    brought: { records: RecordsBatch[] | null; abortedTransactions: ReturnType<typeof aborted>[] | null },
    offsets: number[],
    next: number,
  ]
>([
  ['nothing came', 5, { records: null, abortedTransactions: null }, [], 5],
  ['all of a batch', 0, { records: [batch(0, 3)], abortedTransactions: [] }, [0, 1, 2], 3],
  ['not what is before the offset', 2, { records: [batch(0, 4)], abortedTransactions: [] }, [2, 3], 4],
  ['compacted to its end', 0, { records: [batch(0, 1, { lastOffsetDelta: 9 })], abortedTransactions: [] }, [0], 10],
  ['only what is before the offset', 5, { records: [batch(0, 2)], abortedTransactions: [] }, [], 5],
  [
    'committed, without its marker',
    0,
    { records: [batch(0, 2, by(7n)), marker(2, 7n, 1)], abortedTransactions: [] },
    [0, 1],
    3,
  ],
  [
    'aborted, the next one of the same producer not',
    0,
    {
      records: [batch(0, 2, by(7n)), marker(2, 7n, 0), batch(3, 1, by(7n)), marker(4, 7n, 1)],
      abortedTransactions: [aborted(7n, 0)],
    },
    [3],
    5,
  ],
  [
    'aborted twice, in any order of the list; another producer and none between them',
    0,
    {
      records: [
        batch(0, 1, by(7n)),
        batch(1, 1, by(8n)),
        batch(2, 1),
        marker(3, 7n, 0),
        batch(4, 1, by(7n)),
        marker(5, 7n, 0),
      ],
      abortedTransactions: [aborted(7n, 4), aborted(7n, 0)],
    },
    [1, 2],
    6,
  ],
  [
    'aborted before the offset that was asked for',
    3,
    { records: [batch(3, 1, by(7n)), marker(4, 7n, 0)], abortedTransactions: [aborted(7n, 0)] },
    [],
    5,
  ],
])('committedRecords: %s', (_reason, from, brought, offsets, next) => {
  const { records, nextOffset } = committedRecords(brought, BigInt(from));
  expect([records.map(({ offset }) => Number(offset)), Number(nextOffset)]).toEqual([offsets, next]);
});
