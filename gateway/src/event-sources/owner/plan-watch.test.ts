import { expect, test } from '@jest/globals';

import { type Activity, allowedMs, findStuck, isSourceStuck } from './plan-watch.ts';

test.each<[activity: Activity, wantMs: number]>([
  [{ kind: 'resting', forMs: 300_000 }, 315_000],
  [{ kind: 'opening' }, 30_000],
  [{ kind: 'receiving', waitMs: 20_000 }, 35_000],
  [{ kind: 'filling', windowMs: 300_000 }, 315_000],
  [{ kind: 'invoking', timeoutMs: 900_000 }, 975_000],
  [{ kind: 'settling' }, 45_000],
  [{ kind: 'saving' }, 30_000],
  [{ kind: 'telling' }, 30_000],
])('%j may last %d ms', (activity, wantMs) => {
  expect(allowedMs(activity)).toBe(wantMs);
});

test('only those that last longer are stuck', () => {
  const receiving = { kind: 'receiving', waitMs: 20_000 } as const;
  const all = [
    { name: 'in time', activity: receiving, sinceMs: 65_000 },
    { name: 'late', activity: receiving, sinceMs: 64_999 },
  ];
  expect(findStuck(all, 100_000)).toEqual(['late']);
});

test.each<[activity: Activity, isSource: boolean]>([
  [{ kind: 'opening' }, true],
  [{ kind: 'receiving', waitMs: 20_000 }, true],
  [{ kind: 'settling' }, true],
  [{ kind: 'invoking', timeoutMs: 1_000 }, false],
  [{ kind: 'saving' }, false],
  [{ kind: 'telling' }, false],
])('who hangs in %j: the connection is to blame: %s', (activity, isSource) => {
  const one = { name: 'one', activity, sinceMs: 0 };
  expect(isSourceStuck([one], allowedMs(activity))).toBe(false);
  expect(isSourceStuck([one], allowedMs(activity) + 1)).toBe(isSource);
});
