import { describe, expect, test } from '@jest/globals';
import { nameOf, Ranking, rankNames, takeOwners } from './rendezvous.ts';

const names = ['gw-a', 'gw-b', 'gw-c', 'gw-d'];
const keys = [...Array(2000).keys()].map((at) => `default/f${at}`);

test.each([
  ['gw-a.0123abcd', 'gw-a'],
  ['gw.with.dots.0123abcd', 'gw.with.dots'],
  ['gateway', 'gateway'],
])('the name in %s is %s', (id, name) => expect(nameOf(id)).toBe(name));

describe('rankNames', () => {
  test('every name has about its share of functions', () => {
    const counts = new Map(names.map((name) => [name, 0]));
    for (const key of keys) {
      const [first = ''] = rankNames(key, names);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });

  test('without one name the order of the others stays', () => {
    for (const key of keys.slice(0, 200)) {
      const all = rankNames(key, names);
      expect(rankNames(key, ['gw-d', 'gw-a', 'gw-b'])).toEqual(all.filter((name) => name !== 'gw-c'));
    }
  });
});

const zones: Record<string, string> = { a1: 'a', a2: 'a', b1: 'b', b2: 'b', c1: 'c' };
describe('takeOwners', () => {
  test.each<[reason: string, ranked: readonly string[], k: number, want: readonly string[]]>([
    ['one owner: the first', ['a1', 'a2', 'b1'], 1, ['a1']],
    ['fewer than zones: the order as it is', ['a1', 'a2', 'b1', 'c1'], 2, ['a1', 'a2']],
    ['as many as zones: one of each', ['a1', 'a2', 'b1', 'b2', 'c1'], 3, ['a1', 'b1', 'c1']],
    ['more than zones: the best of the rest follow', ['a1', 'a2', 'b1', 'b2', 'c1'], 4, ['a1', 'b1', 'c1', 'a2']],
    ['more than there are: all', ['a1', 'b1'], 9, ['a1', 'b1']],
    ['unknown zones are one zone', ['x', 'y', 'a1'], 2, ['x', 'a1']],
  ])('%s', (_reason, ranked, k, want) => expect(takeOwners(ranked, k, (name) => zones[name] ?? '')).toEqual(want));
});

test('a ranking remembers orders until names change, and is bounded', () => {
  const ranking = new Ranking(2);
  ranking.add(names);
  const order = ranking.of('k1');
  expect(order).toEqual(rankNames('k1', names));
  ranking.add(['gw-a']);
  expect(ranking.of('k1')).toBe(order);
  ranking.of('k2');
  ranking.of('k3');
  expect(ranking.of('k1')).not.toBe(order);
  expect(ranking.of('k1')).toEqual(order);
  ranking.add(['gw-e']);
  expect(ranking.of('k1')).toContain('gw-e');
});
