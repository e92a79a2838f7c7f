import { expect, test } from '@jest/globals';
import { parseQuantity } from './quantity.ts';

test.each<[quantity: unknown, want: number | null]>([
  ['500m', 0.5],
  ['128Mi', 134_217_728],
  ['1.5G', 1.5e9],
  ['1e3', 1000],
  [2, 2],
  ['-1', -1],
  ['.5', 0.5],
  ['', null],
  ['1 Gi', null],
  ['Mi', null],
  [undefined, null],
])('quantity %p', (quantity, want) => {
  expect(parseQuantity(quantity)).toBe(want);
});
