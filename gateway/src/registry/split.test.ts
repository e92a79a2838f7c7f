import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { makeTarget } from '../dispatch/testing.ts';
import { chooseVersion } from './split.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:hello:live';
const targets = { 1: makeTarget({ version: '1' }), 2: makeTarget({ version: '2' }), 10: makeTarget({ version: '10' }) };
type Version = keyof typeof targets;

/** The version of a key, while `second` has `percent` of the calls. */
function versionOf(key: string, main: Version, second: Version, percent: number, of = arn): string {
  const alias = { target: targets[main], additional: { target: targets[second], weight: percent / 100 } };
  const random = (): number => {
    throw new Error('a key leaves nothing to chance');
  };
  return chooseVersion(alias, of, random, { 'x-kappa-sticky-key': key }).version;
}

const anyKey = fc.string({ minLength: 1, maxLength: 40 });
const anyPercent = fc.integer({ min: 0, max: 100 });
const manyKeys = Array.from({ length: 5_000 }, (_, at) => `user-${at}`);

describe('a key', () => {
  test('has one version, and only comes to the newer one while its share grows', () => {
    fc.assert(
      fc.property(anyKey, anyPercent, anyPercent, (key, one, other) => {
        const [small = 0, large = 0] = [one, other].sort((a, b) => a - b);
        const before = versionOf(key, 1, 2, small);
        expect(versionOf(key, 1, 2, small)).toBe(before);
        if (before === '2') expect(versionOf(key, 1, 2, large)).toBe('2');
      }),
    );
  });

  test('stays where it is when the two versions change places', () => {
    fc.assert(
      fc.property(anyKey, anyPercent, (key, percent) => {
        expect(versionOf(key, 2, 1, 100 - percent)).toBe(versionOf(key, 1, 2, percent));
      }),
    );
  });

  test('of the newer version means the higher number, not the later text', () => {
    for (const key of manyKeys.slice(0, 200)) {
      if (versionOf(key, 2, 10, 30) === '10') expect(versionOf(key, 2, 10, 60)).toBe('10');
      expect(versionOf(key, 10, 2, 70)).toBe(versionOf(key, 2, 10, 30));
    }
  });

  test.each([0, 1, 5, 50, 93, 100])('is one of %p in a hundred', (percent) => {
    const share = manyKeys.filter((key) => versionOf(key, 1, 2, percent) === '2').length / manyKeys.length;
    // The keys are always the same, so this cannot fail by chance; six standard deviations of a fair draw.
    expect(Math.abs(share - percent / 100)).toBeLessThanOrEqual(6 * Math.sqrt(0.25 / manyKeys.length));
    if (percent % 100 === 0) expect(share).toBe(percent / 100);
  });

  test('says nothing about another alias', () => {
    const both = manyKeys.filter((key) => versionOf(key, 1, 2, 50) === versionOf(key, 1, 2, 50, `${arn}2`)).length;
    expect(Math.abs(both / manyKeys.length - 0.5)).toBeLessThanOrEqual(6 * Math.sqrt(0.25 / manyKeys.length));
  });
});

test.each<[reason: string, headers: Record<string, string>]>([
  ['without a key', {}],
  ['with an empty one', { 'x-kappa-sticky-key': '' }],
])('chance decides %s', (_reason, headers) => {
  const alias = { target: targets[1], additional: { target: targets[2], weight: 0.3 } };
  expect(chooseVersion(alias, arn, () => 0.29, headers).version).toBe('2');
  expect(chooseVersion(alias, arn, () => 0.3, headers).version).toBe('1');
});

test('an alias of one version asks nobody', () => {
  expect(
    chooseVersion({ target: targets[1], additional: null }, arn, () => 0, { 'x-kappa-sticky-key': 'a' }).version,
  ).toBe('1');
});
