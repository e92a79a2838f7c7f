import { expect, test } from '@jest/globals';

import { readLimit } from './events.ts';

test.each(['1', '100', '5000'])('a limit: %s', (text) => {
  expect(readLimit(text)).toBe(Number(text));
});

test.each(['abc', '', '0', '-1', '1.5', '1e3', '9999999999'])('no limit: %s', (text) => {
  expect(() => readLimit(text)).toThrow('a whole number');
});
