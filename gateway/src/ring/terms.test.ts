import { describe, expect, test } from '@jest/globals';
import { Ranking, rankNames } from './rendezvous.ts';
import { Terms, type Vote } from './terms.ts';

const names = ['a', 'b', 'c'];
const ids = names.map((name) => `${name}.1`);
/** A function whose order is a, b, c. */
const key =
  [...Array(1000).keys()].map((at) => `default/f${at}`).find((each) => rankNames(each, names).join('') === 'abc') ?? ''; // prettier-ignore
const vote = (over: Partial<Vote> = {}): Vote => ({ views: [ids], electorates: [names], ...over });

function terms(own: Vote | null = vote()): Terms {
  const ranking = new Ranking();
  ranking.add(names);
  const made = new Terms('a.1', ranking);
  made.setOwn(own, 0);
  return made;
}

describe('Terms', () => {
  test.each<[reason: string, own: Vote | null, others: Record<string, Vote>, isHeld: boolean]>([
    ['alone among three', vote(), {}, false],
    ['two of three', vote(), { b: vote() }, true],
    ['who may hold nothing holds nothing', null, { b: vote(), c: vote() }, false],
    ['alone in the electorate', vote({ electorates: [['a']] }), {}, true],
    ['nobody knows the members yet', vote({ electorates: [[]] }), { b: vote() }, false],
    ['the voter has another first owner', vote(), { b: vote({ views: [['b.1', 'c.1']] }) }, false],
    ['... in a view that still binds', vote(), { b: vote({ views: [ids, ['b.1']] }) }, false],
    ['the voter abstains', vote(), { b: vote({ views: [ids, []] }) }, false],
    ['the vote is for a former life', vote(), { b: vote({ views: [['a.0', 'b.1', 'c.1']] }) }, false],
    ['the own vote is for another one', vote({ views: [ids, ['b.1']] }), { b: vote(), c: vote() }, false],
    [
      'a voter asks for the majority of another set, too',
      vote(),
      { b: vote({ electorates: [names, ['a', 'b', 'c', 'd', 'e']] }) },
      false,
    ], // prettier-ignore
    [
      '... and does not spoil the vote of another one',
      vote(),
      { b: vote({ electorates: [['a', 'x', 'y']] }), c: vote() },
      true,
    ], // prettier-ignore
    ['... and it is there', vote(), { b: vote({ electorates: [['a', 'b', 'c', 'd', 'e']] }), c: vote() }, true],
  ])('%s', (_reason, own, others, isHeld) => {
    const made = terms(own);
    for (const [name, each] of Object.entries(others)) made.vote(name, each, 1000, 0);
    expect(made.number(key, 0) !== null).toBe(isHeld);
    expect(made.heldCount).toBe(isHeld ? 1 : 0);
  });

  test('one number as long as votes come in time; another one after a gap, asked or not', () => {
    const made = terms();
    made.vote('b', vote(), 700, 0);
    const first = made.number(key, 0);
    for (let at = 200; at < 2000; at += 200) made.vote('b', vote(), at + 700, at);
    expect(made.number(key, 2000)).toBe(first);
    made.vote('b', vote(), 4000, 3300); // it had run out at 2500, nobody looked
    expect(made.number(key, 3300)).toBe((first ?? 0) + 1);
  });

  test('another voter in the place of one that ran out keeps the term', () => {
    const made = terms();
    made.vote('b', vote(), 700, 0);
    const first = made.number(key, 0);
    made.vote('c', vote(), 1200, 500);
    expect(made.number(key, 1100)).toBe(first);
    expect(made.number(key, 1200)).toBeNull();
  });

  test('a term is lost the moment a vote says something else', () => {
    const made = terms();
    made.vote('b', vote(), 700, 0);
    made.number(key, 0);
    const version = made.version;
    expect(made.vote('b', vote({ views: [ids, ['b.1', 'c.1']] }), 800, 100)).toBe(true);
    expect(made.version).not.toBe(version);
    expect(made.number(key, 100)).toBeNull();
  });

  test('a vote that comes too late counts nothing', () => {
    const made = terms();
    made.vote('b', vote(), 700, 700);
    expect(made.number(key, 700)).toBeNull();
  });
});
