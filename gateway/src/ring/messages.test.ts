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
const second = { calls: { 'default/f': 3 }, steady: ['default/f'], accountCalls: { '000000000000': 40 } };

test('a RING is read as it was written; one without the last second is of a gateway that says it later, or never', () => {
  expect(parseRing(JSON.parse(JSON.stringify({ ...ring, second })))).toEqual({ ...ring, second });
  expect(parseRing(ring)).toEqual(ring);
});

test('one that does not say how often accounts are called is of an older gateway', () => {
  const { accountCalls: _unsaid, ...older } = second;
  expect(parseRing({ ...ring, second: older }).second).toEqual({ ...older, accountCalls: {} });
});

test.each<[reason: string, second: unknown]>([
  ['no object', 3],
  ['no calls', { steady: [] }],
  ['no verdicts', { calls: {} }],
  ['a negative count', { ...second, calls: { f: -1 } }],
  ['a verdict that is no name', { ...second, steady: [1] }],
  ['accounts that are called by halves', { ...second, accountCalls: { '000000000000': 0.5 } }],
])('a last second with %s is refused', (_reason, broken) => {
  expect(() => parseRing({ ...ring, second: broken })).toThrow('missing or of the wrong type');
});
