import { expect, test } from '@jest/globals';

import { TestClock } from '../testing-clock.ts';
import { MAX_HELD_BYTES } from './plan-share.ts';
import { Rooms } from './rooms.ts';
import { testLoad } from './testing-poller.ts';

const MIB = 1024 * 1024;

test.each<[reason: string, own: number, others: number, want: boolean]>([
  ['nothing is held', 0, 0, true],
  ['a shard has read a little', 12 * MIB - 1, 0, true],
  ['a shard has read enough', 12 * MIB, 0, false],
  ['all together have not', MIB, MAX_HELD_BYTES - MIB - 1, true],
  ['all together have', MIB, MAX_HELD_BYTES - MIB, false],
  ['others have it all: a shard can go on', MIB - 1, MAX_HELD_BYTES, true],
])('whether more is read ahead: %s', (_reason, own, others, want) => {
  const rooms = new Rooms(() => testLoad, new TestClock());
  const [shard, other] = [rooms.ahead(), rooms.ahead()];
  other.set(5);
  other.set(others);
  shard.set(own);
  expect(shard.mayGrow()).toBe(want);
});

test('what is read ahead leaves room for batches', async () => {
  const rooms = new Rooms(() => testLoad, new TestClock());
  rooms.ahead().set(MAX_HELD_BYTES);
  expect(rooms.hasRoom).toBe(true);
});
