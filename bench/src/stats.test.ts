import { expect, test } from '@jest/globals';
import { percentile, ratios, show, summarize } from './stats.ts';

test.each([
  ['the median of an odd number', [3, 1, 2], 0.5, 2],
  ['the upper of two middles', [1, 2, 3, 4], 0.5, 3],
  ['p99 of a hundred is the largest', Array.from({ length: 100 }, (_, i) => i + 1), 0.99, 100],
  ['of one value', [7], 0.99, 7],
])('percentile: %s', (_reason, values, share, want) => {
  expect(percentile(values, share)).toBe(want);
});

test('of nothing there is none', () => {
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test('rounds are compared side by side', () => {
  expect(show(summarize(ratios([2, 6, 4], [1, 2, 4])))).toBe('2.0 (1.0–3.0)');
});
