import { describe, expect, test } from '@jest/globals';
import { type Electorate, Electorates, hasMajority } from './electorate.ts';

const none = { lists: null, isGone: false };

/** What others list, by name. */
const heard =
  (lists: Record<string, readonly Electorate[]>, gone: readonly string[] = []) =>
  (name: string) => ({
    ...none,
    lists: lists[name] ?? null,
    isGone: gone.includes(name),
  });
const abc = ['a', 'b', 'c'];
const bcd = ['b', 'c', 'd'];

function moving(): Electorates {
  const electorates = new Electorates('b', 1000);
  electorates.set(abc);
  electorates.set(bcd);
  return electorates;
}

describe('Electorates', () => {
  test('both sets bind until a majority of the old one has the new one, and a wait longer', () => {
    const electorates = moving();
    expect(electorates.list()).toEqual([abc, bcd]);
    electorates.tick(heard({ c: [abc] }), 100);
    electorates.tick(heard({ c: [abc, bcd] }), 5000);
    electorates.tick(heard({ c: [bcd] }), 5999);
    expect(electorates.list()).toEqual([abc, bcd]);
    expect(electorates.tick(heard({ c: [bcd] }), 6000)).toBe(true);
    expect(electorates.list()).toEqual([bcd]);
  });

  test.each<[reason: string, of: ReturnType<typeof heard>, isDropped: boolean]>([
    ['nobody was heard', heard({}), false],
    ['new members alone do not count', heard({ d: [bcd] }), false],
    ['the others are gone for good', heard({}, ['a', 'c']), true],
    ['one of them is', heard({}, ['a']), true],
  ])('%s', (_reason, of, isDropped) => {
    const electorates = moving();
    electorates.tick(of, 0);
    electorates.tick(of, 1000);
    expect(electorates.list()).toEqual(isDropped ? [bcd] : [abc, bcd]);
  });

  test('back to the old set: the one in between binds on', () => {
    const electorates = moving();
    electorates.set(abc);
    expect(electorates.list()).toEqual([bcd, abc]);
    expect(electorates.set(abc)).toBe(false);
  });

  test('a new life is bound by what an older one is bound by', () => {
    const electorates = new Electorates('d', 1000);
    electorates.set(bcd);
    electorates.inherit([abc, bcd]);
    expect(electorates.list()).toEqual([abc, bcd]);
    electorates.tick(heard({ b: [bcd], c: [bcd] }), 0);
    electorates.tick(heard({ b: [bcd], c: [bcd] }), 1000);
    expect(electorates.list()).toEqual([bcd]);
  });

  test('the first set has no former one', () => {
    const electorates = new Electorates('a', 1000);
    expect(electorates.list()).toEqual([[]]);
    electorates.set(['a']);
    expect(electorates.list()).toEqual([['a']]);
  });
});

test.each<[voters: string, of: string, want: boolean]>([
  ['', '', false],
  ['a', 'a', true],
  ['a', 'ab', false],
  ['ab', 'abc', true],
  ['ax', 'abc', false],
  ['abx', 'abcd', false],
])('voters %p of %p: %p', (voters, of, want) => expect(hasMajority([...of], new Set(voters))).toBe(want));
