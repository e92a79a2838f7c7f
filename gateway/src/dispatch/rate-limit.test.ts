import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RateLimit } from './rate-limit.ts';

/** How many of `count` tries at one time are let through. */
function burst(limit: RateLimit, nowMs: number, count: number): number {
  let taken = 0;
  for (let n = 0; n < count; n += 1) {
    if (limit.isSpent(nowMs)) continue;
    limit.take(nowMs);
    taken += 1;
  }
  return taken;
}

describe('a burst', () => {
  test.each<[reason: string, perSecond: number, windowMs: number, want: number]>([
    ['a window’s worth', 20, 1_000, 20],
    ['also when one costs no whole number of milliseconds', 30, 1_000, 30],
    ['of a long window', 100, 10_000, 1_000],
    ['less than one a second', 0.8, 1_000, 1],
    ['no limit', Number.POSITIVE_INFINITY, 1_000, 5_000],
  ])('%s', (_reason, perSecond, windowMs, want) => {
    const limit = new RateLimit(windowMs, perSecond);
    expect(burst(limit, 0, 5_000)).toBe(want);
    expect(burst(limit, 60_000, 5_000)).toBe(want); // nothing more is saved up
  });
});

test('what was taken comes back one by one', () => {
  const limit = new RateLimit(1_000, 20);
  expect(burst(limit, 0, 100)).toBe(20);
  expect(burst(limit, 24, 100)).toBe(0);
  expect(burst(limit, 50, 100)).toBe(1);
  expect(burst(limit, 200, 100)).toBe(3);
});

test('what is owed is worked off first', () => {
  const limit = new RateLimit(1_000, 10);
  for (let n = 0; n < 15; n += 1) limit.take(0);
  expect(burst(limit, 500, 100)).toBe(0);
  expect(burst(limit, 600, 100)).toBe(1);
});

test('another rate holds at once, for what is left of the window', () => {
  const limit = new RateLimit(1_000, 10);
  expect(burst(limit, 0, 5)).toBe(5);
  limit.perSecond = 100;
  expect(burst(limit, 0, 1_000)).toBe(50);
  limit.perSecond = 1;
  expect(burst(limit, 400, 10)).toBe(0);
});

test('never more than a window’s worth and the rate, however tries come', () => {
  const tries = fc.array(fc.tuple(fc.nat(400), fc.nat(30)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), tries, (perSecond, steps) => {
      const limit = new RateLimit(1_000, perSecond);
      let nowMs = 0;
      let taken = 0;
      for (const [pauseMs, count] of steps) {
        nowMs += pauseMs;
        taken += burst(limit, nowMs, count);
        expect(taken).toBeLessThanOrEqual(perSecond + (perSecond * nowMs) / 1_000 + 0.5 + 1e-6);
      }
    }),
  );
});
