import { expect, test } from '@jest/globals';

import { type IteratorCalls, IteratorReader, type Portion } from './iterator-reader.ts';
import type { Position, SourceRecord } from './record.ts';

const shard = { id: 'shard', parents: [] };
const signal = new AbortController().signal;

const record = (id: number): SourceRecord => ({
  id: String(id),
  key: null,
  arrivedMs: id * 1_000,
  text: `{"n":${id}}`,
  bytes: 7,
  filterable: () => ({ metadata: {}, data: {} }),
});

/** A service with these records, numbered from 0: iterators are numbers of the next one, and each call that is made is written down. */
function service(count: number, isClosed = false) {
  const made: string[] = [];
  const expired = new Set<string>();
  const calls: IteratorCalls = {
    maxRecords: 4,
    restMs: 1,
    iterator: async (_shard, from) => {
      made.push(`iterator ${from.kind}`);
      return `${from.kind === 'after' ? Number(from.id) + 1 : 0} ${made.length}`;
    },
    records: async (_shard, iterator, limit): Promise<Portion | null> => {
      made.push(`records ${limit}`);
      if (expired.has(iterator)) return null;
      const at = Number.parseInt(iterator, 10);
      const end = Math.min(count, at + limit);
      const records = Array.from({ length: end - at }, (_, place) => record(at + place));
      return {
        records,
        next: isClosed && end === count ? null : `${end} ${made.length}`,
        behindMs: (count - end) * 1_000,
      };
    },
  };
  return { reader: new IteratorReader(calls), made, expired };
}

const read = (reader: IteratorReader, from: Position, max: number) =>
  reader.read({ shard, from, max, waitMs: 1_000, signal });
const idsOf = ({ records }: { records: readonly SourceRecord[] }): readonly string[] => records.map(({ id }) => id);

test('small batches are given from what was got at once, and the iterator goes on', async () => {
  const { reader, made } = service(6);
  let from: Position = { kind: 'start' };
  const got: string[] = [];
  for (let times = 0; times < 4; times += 1) {
    const result = await read(reader, from, 2);
    got.push(...idsOf(result));
    from = result.next;
    expect(result.isEnd).toBe(false);
  }
  expect(got).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(made).toEqual(['iterator start', 'records 4', 'records 4', 'records 4']);
});

test('who begins elsewhere gets what is there, not what waits', async () => {
  const { reader } = service(6);
  expect(idsOf(await read(reader, { kind: 'start' }, 1))).toEqual(['0']);
  expect(idsOf(await read(reader, { kind: 'after', id: '3' }, 1))).toEqual(['4']);
  expect(idsOf(await read(reader, { kind: 'start' }, 1))).toEqual(['0']);
});

test('an iterator that has expired: a new one behind the record that was read last', async () => {
  const { reader, made, expired } = service(6);
  const first = await read(reader, { kind: 'start' }, 4);
  expired.add('4 2');
  expect(idsOf(await read(reader, first.next, 4))).toEqual(['4', '5']);
  expect(made).toEqual(['iterator start', 'records 4', 'records 4', 'iterator after', 'records 4']);
});

test('a shard that was closed has ended with its last record, and not before', async () => {
  const { reader } = service(3, true);
  const first = await read(reader, { kind: 'start' }, 2);
  expect([idsOf(first), first.isEnd]).toEqual([['0', '1'], false]);
  const last = await read(reader, first.next, 2);
  expect([idsOf(last), last.isEnd]).toEqual([['2'], true]);
});

test('what is older than the beginning is left out, over as many calls as it takes', async () => {
  const { reader, made } = service(10);
  expect(idsOf(await read(reader, { kind: 'since', ms: 9_000 }, 4))).toEqual(['9']);
  expect(made).toEqual(['iterator since', 'records 4', 'records 4', 'records 4']);
});

test('at the end: nothing, at once, and it is not asked in vain for an iterator again', async () => {
  const { reader, made } = service(0);
  for (let times = 0; times < 2; times += 1)
    expect(await read(reader, { kind: 'start' }, 4)).toEqual({
      records: [],
      next: { kind: 'start' },
      isEnd: false,
      behindMs: 0,
      behindRecords: null,
      restMs: 1,
    });
  expect(made).toEqual(['iterator start', 'records 4', 'records 4']);
});
