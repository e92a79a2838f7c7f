import { describe, expect, test } from '@jest/globals';
import { Views } from './views.ts';

const WAIT = 1000;
function voter(): Views {
  const views = new Views(WAIT);
  views.admit(0);
  views.set(['a', 'b', 'c'], 0);
  views.list(2000); // the beginning has run out
  return views;
}

describe('Views', () => {
  test('a new life abstains: it lists the empty view until it is admitted', () => {
    const views = new Views(WAIT);
    views.set(['a'], 0);
    expect(views.list(50_000)).toEqual([['a'], []]);
    views.admit(60_000);
    expect(views.list(59_999)).toContainEqual([]);
    expect(views.list(60_000)).toEqual([['a']]);
  });

  test.each<[reason: string, change: (views: Views) => void, atMs: number, want: string[][]]>([
    [
      'one more: both views bind for the wait',
      (views) => views.set(['a', 'b', 'c', 'd'], 5000),
      5999,
      [
        ['a', 'b', 'c', 'd'],
        ['a', 'b', 'c'],
      ],
    ], // prettier-ignore
    ['... and then the new one alone', (views) => views.set(['a', 'b', 'c', 'd'], 5000), 6000, [['a', 'b', 'c', 'd']]],
    ['one that is forgotten binds nobody', (views) => views.forget('c'), 5000, [['a', 'b']]],
    [
      'one that is only left out still binds',
      (views) => views.set(['a', 'b'], 5000),
      5001,
      [
        ['a', 'b'],
        ['a', 'b', 'c'],
      ],
    ], // prettier-ignore
    [
      'there and back: each binds once',
      (views) => {
        views.set(['a', 'b'], 5000);
        views.set(['a', 'b', 'c'], 5100);
      },
      5200,
      [
        ['a', 'b', 'c'],
        ['a', 'b'],
      ],
    ], // prettier-ignore
    [
      'forgetting makes views equal',
      (views) => {
        views.set(['a', 'b', 'c', 'd'], 5000);
        views.forget('d');
      },
      5001,
      [['a', 'b', 'c']],
    ], // prettier-ignore
    [
      'a new life of b is another one',
      (views) => views.set(['a', 'b2', 'c'], 5000),
      5001,
      [
        ['a', 'b2', 'c'],
        ['a', 'b', 'c'],
      ],
    ], // prettier-ignore
  ])('%s', (_reason, change, atMs, want) => {
    const views = voter();
    change(views);
    expect(views.list(atMs)).toEqual(want);
  });

  test('one that changes its mind too often abstains', () => {
    const views = voter();
    for (let at = 0; at < 40; at += 1) views.set([`x${at}`], 5000 + at);
    expect(views.list(5100)).toContainEqual([]);
    expect(views.list(6100)).toEqual([['x39']]);
  });
});
