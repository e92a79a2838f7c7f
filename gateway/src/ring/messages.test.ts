import { expect, test } from '@jest/globals';
import { parseRing } from './messages.ts';

const ring = {
  seq: 1,
  ackSeq: 0,
  views: [['a.00000001']],
  electorates: [['a']],
  admitted: true,
  leaving: false,
  accounts: { '000000000000': 1 },
  hot: {},
};
const second = { calls: { 'default/f': 3 }, steady: ['default/f'] };

test('a RING is read as it was written; one without the last second is of a gateway that says it later, or never', () => {
  expect(parseRing(JSON.parse(JSON.stringify({ ...ring, second })))).toEqual({ ...ring, second });
  expect(parseRing(ring)).toEqual(ring);
});

test.each<[reason: string, second: unknown]>([
  ['no object', 3],
  ['no calls', { steady: [] }],
  ['no verdicts', { calls: {} }],
  ['a negative count', { ...second, calls: { f: -1 } }],
  ['a verdict that is no name', { ...second, steady: [1] }],
])('a last second with %s is refused', (_reason, broken) => {
  expect(() => parseRing({ ...ring, second: broken })).toThrow('missing or of the wrong type');
});
