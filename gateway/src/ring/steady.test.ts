import { describe, expect, test } from '@jest/globals';
import { SteadyFunctions } from './steady.ts';
import { seeded } from './testing-world.ts';

const nobody: ReadonlySet<string> = new Set();
const count = (calls: number): ReadonlyMap<string, number> => new Map(calls === 0 ? [] : [['f', calls]]);

/** One gateway that hears of others' calls, second by second. */
function start() {
  const steady = new SteadyFunctions({ steadyHoldMs: 30_000 });
  let nowMs = 0;
  /** Whether f is steady after these seconds. */
  const seconds = (...sums: number[]): boolean => {
    for (const sum of sums) {
      nowMs += 1000;
      const here = Math.ceil(sum / 3);
      steady.second({ calls: count(here), elsewhere: count(sum - here) }, nowMs);
      steady.settle(nobody);
    }
    return steady.isSteady('f');
  };
  return { steady, seconds };
}

const times = (n: number, sum: number): number[] => Array<number>(n).fill(sum);

describe('steady functions', () => {
  test.each<[reason: string, sums: number[], isSteady: boolean]>([
    ['three busy seconds', [2, 2, 2], true],
    ['two are not enough', [60, 60], false],
    ['one burst, however large', [10_000, 0, 0, 0], false],
    ['a pause between them', [5, 5, 0, 5], false],
    ['... and on', [5, 5, 0, 5, 5], true],
    ['one call a second', times(60, 1), false],
    ['two calls every other second', [2, 0, 2, 0, 2, 0, 2, 0, 2, 0], false],
    ['still, 29 seconds later', [...times(3, 9), ...times(29, 0)], true],
    ['no more after 30', [...times(3, 9), ...times(30, 0)], false],
    ['single calls do not keep it', [...times(3, 9), ...times(30, 1)], false],
    ['a busy second does', [...times(3, 9), ...times(28, 0), 2, ...times(29, 0)], true],
  ])('%s', (_reason, sums, isSteady) => {
    expect(start().seconds(...sums)).toBe(isSteady);
  });

  test('what another gateway finds steady is steady here, as long as it says so', () => {
    const { steady } = start();
    const told = new Set(['f']);
    expect(steady.settle(told)).toBe(true);
    expect(steady.isSteady('f')).toBe(true);
    expect(steady.found.size).toBe(0); // so two gateways do not keep each other's verdict alive
    expect(steady.settle(told)).toBe(false);
    expect(steady.settle(new Set(['f']))).toBe(false);
    expect(steady.settle(nobody)).toBe(true);
    expect(steady.isSteady('f')).toBe(false);
  });

  test('random arrivals: ten a second are steady at once and stay so; one in ten seconds never is', () => {
    const random = seeded(7);
    const arrivals = (mean: number): number => {
      let calls = 0;
      for (let left = Math.exp(-mean), p = random(); p > left; p *= random()) calls += 1;
      return calls;
    };
    const busy = start();
    busy.seconds(...[1, 2, 3, 4].map(() => arrivals(10)));
    for (let at = 0; at < 600; at += 1) expect(busy.seconds(arrivals(10))).toBe(true);
    const rare = start();
    for (let at = 0; at < 3600; at += 1) expect(rare.seconds(arrivals(0.1))).toBe(false);
  });

  test('what is not called is forgotten', () => {
    const { steady, seconds } = start();
    seconds(9, 9, 9, ...times(40, 0));
    expect(steady.keys.size + steady.found.size).toBe(0);
  });
});
