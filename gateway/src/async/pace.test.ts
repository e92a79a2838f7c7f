import { expect, test } from '@jest/globals';

import { Pace } from './pace.ts';

/** Fills the room, and lets all of it run at that time. */
function turn(pace: Pace, nowMs: number, lateMs: number): number {
  const count = pace.room(nowMs);
  pace.running = count;
  for (; pace.running > 0; pace.running -= 1) pace.ran(nowMs, lateMs);
  return count;
}

test('what is not late needs no more than four at a time', () => {
  const pace = new Pace(100);
  expect([0, 1, 2, 3].map((second) => turn(pace, second * 1000, 0))).toEqual([4, 4, 4, 4]);
});

test('a backlog gets more, twice as many in a second at most, up to the bound', () => {
  const pace = new Pace(20);
  const counts = [...Array(40).keys()].map((tenth) => turn(pace, tenth * 100, 5000));
  for (const [at, count] of counts.entries()) expect(count).toBeLessThanOrEqual(4 * 2 ** (Math.floor(at / 10) + 1));
  expect(Math.max(...counts)).toBe(20);
});

test('who finds no capacity halves it once, and rests ever longer', () => {
  const pace = new Pace(100);
  expect(pace.refused(0)).toBe(50);
  expect(pace.refused(10)).toBe(40); // of the same time: nothing new
  expect(pace.room(49)).toBe(0);
  expect(pace.room(50)).toBe(2);
  expect(pace.refused(50)).toBe(100);
  expect(pace.room(150)).toBe(1);
  let nowMs = 150;
  const rests = [...Array(6).keys()].map(() => {
    const restMs = pace.refused(nowMs);
    nowMs += restMs;
    return restMs;
  });
  expect(rests).toEqual([200, 400, 800, 1600, 2000, 2000]);
  expect(pace.room(nowMs)).toBe(1);
  pace.ran(nowMs, 0);
  expect(pace.refused(nowMs)).toBe(50);
});
