import { expect, test } from '@jest/globals';

import type { FetchedRecord } from './batches.ts';
import { before, offsetAfter, toSourceRecord } from './record.ts';

test.each<[reason: string, id: string, offset: bigint]>([
  ['the next one', 'orders-0:15', 16n],
  ['the first of all', 'orders-0:-1', 0n],
  ['a topic with anything in its name', 'a:b-1-12:7', 8n],
])('offsetAfter: %s', (_reason, id, offset) => {
  expect(offsetAfter(id)).toBe(offset);
});

test.each([
  '',
  'orders-0',
  'orders-0:',
  'orders-0:-2',
  'orders-0:x',
  'shardId-000:49590338271490256608559692538361571095921575989136588898',
])('offsetAfter: %j is no place in a partition', (id) => {
  expect(() => offsetAfter(id)).toThrow(expect.objectContaining({ reason: 'PositionLost' }));
});

test('before: reading goes on at that offset', () => {
  for (const offset of [0n, 1n, 2n ** 62n]) expect(offsetAfter(before('t', 3, offset).id)).toBe(offset);
});

const fetched = (over: Partial<FetchedRecord['record']>, timestampMs = 5): FetchedRecord => ({
  record: {
    length: 0,
    attributes: 0,
    timestampDelta: 0n,
    offsetDelta: 0,
    key: null,
    value: null,
    headers: [],
    ...over,
  },
  offset: 9n,
  timestampMs,
  timestampType: 'CREATE_TIME',
});

test('a tombstone has no value, and a header may have neither name nor value', () => {
  const record = toSourceRecord('t', 1, fetched({ key: Buffer.from('k'), headers: [[null, null]] }), 100);
  expect(JSON.parse(record.text)).toEqual({
    topic: 't',
    partition: 1,
    offset: 9,
    timestamp: 5,
    timestampType: 'CREATE_TIME',
    key: 'aw==',
    headers: [{ '': [] }],
  });
  expect(record.filterable()).toEqual({
    metadata: expect.objectContaining({ topic: 't', offset: 9 }),
    data: { key: 'k' },
  });
});

test('a record without a time has arrived when it was read', () => {
  const record = toSourceRecord('t', 1, fetched({}, -1), 100);
  expect([record.arrivedMs, JSON.parse(record.text).timestamp]).toEqual([100, -1]);
});
