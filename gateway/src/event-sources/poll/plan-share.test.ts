import { describe, expect, test } from '@jest/globals';

import { batchRoom, type Load, MAX_HELD_BYTES, shareOut } from './plan-share.ts';

const calm: Load = {
  concurrency: 1_000,
  asyncRunning: 0,
  batchesRunning: 0,
  heldBytes: 0,
};

describe('batches that may begin', () => {
  test.each<[reason: string, over: Partial<Load>, want: number]>([
    ['nothing runs', {}, 600],
    ['some run', { batchesRunning: 400 }, 200],
    ['asynchronous ones go before', { asyncRunning: 300, batchesRunning: 400 }, 100],
    ['asynchronous ones have it all', { asyncRunning: 800 }, 0],
    ['more run than may: the share has become smaller', { batchesRunning: 700 }, 0],
    ['memory is full', { heldBytes: MAX_HELD_BYTES }, 0],
    ['a small install', { concurrency: 2 }, 1],
  ])('%s', (_reason, over, want) => {
    expect(batchRoom({ ...calm, ...over })).toBe(want);
  });
});

test.each<[room: number, wanted: readonly number[], want: readonly number[]]>([
  [10, [], []],
  [10, [1, 9, 9], [1, 5, 4]],
  [10, [3, 3], [3, 3]],
  [2, [5, 5, 5], [1, 1, 0]],
  [0, [5], [0]],
  [7, [100, 1, 0], [6, 1, 0]],
])('room for %d, wanted %j', (room, wanted, want) => {
  expect(shareOut(room, wanted)).toEqual(want);
});
