import { describe, expect, test } from '@jest/globals';
import type { DispatchLoad, Target } from '../dispatch/types.ts';
import { defaultRingLimits } from './limits.ts';
import type { Member } from './members.ts';
import { Roles } from './roles.ts';
import { fn } from './testing.ts';

const noLoad = { accounts: new Map(), calls: new Map(), running: new Map() };

/** One gateway's roles among members of these zones (own one first), all of them alive; time moves by heartbeats. */
function start(zones: readonly string[], loadOf: (at: number) => DispatchLoad = () => noLoad) {
  let nowMs = 0;
  const names = zones.map((_, at) => `g${at}`);
  const members: Member[] = zones.map((zone, at) => ({ name: `g${at}`, ip: '', port: 1, zone, terminating: false }));
  const all = names.map((name) => new Roles(`${name}.00000001`, defaultRingLimits, () => nowMs));
  const beat = (): void => {
    nowMs += defaultRingLimits.heartbeatMs;
    for (const [at, from] of all.entries()) {
      from.tick(loadOf(at), () => {
        for (const to of all) if (to !== from) to.core.received(from.gatewayId, from.core.say(0, nowMs), nowMs);
      });
    }
  };
  for (const each of all) each.core.setMembers(members, nowMs);
  beat();
  /** Calls a function so often in each of so many seconds, each time at the next gateway. */
  const call = (target: Target, perSecond: number, seconds: number): void => {
    for (let beats = 0, calls = 0; beats < seconds * 10; beats += 1) {
      for (; calls < ((beats + 1) * perSecond) / 10; calls += 1) all[calls % all.length]?.route(target);
      beat();
    }
  };
  const owners = (target: Target): number[] => all.map((each) => each.route(target).owners.length);
  /** So long later the first one ticks; nobody says anything. */
  const alone = (ms: number): void => {
    nowMs += ms;
    all[0]?.tick(noLoad, () => {});
  };
  return { all, call, owners, alone };
}

describe('owners of a function that is called steadily', () => {
  test.each<[reason: string, zones: string[], target: Partial<Target>, perSecond: number, want: number]>([
    ['one per zone', ['a', 'b', 'c'], {}, 10, 3],
    ['not one per gateway', ['a', 'a', 'b', 'b', 'c', 'c'], {}, 10, 3],
    ['two zones, two owners', ['a', 'b', 'b'], {}, 4, 2],
    ['zones are not known', ['', '', ''], {}, 10, 1],
    ['calls now and then', ['a', 'b', 'c'], {}, 0.5, 1],
    ['reserved concurrency', ['a', 'b', 'c'], { reservedConcurrency: 100 }, 10, 1],
    ['provisioned concurrency', ['a', 'b', 'c'], { provisionedConcurrency: 3 }, 10, 1],
  ])('%s', (_reason, zones, over, perSecond, want) => {
    const target = fn('f', over);
    const { all, call, owners } = start(zones);
    expect(owners(target)).toEqual(zones.map(() => 1));
    call(target, perSecond, 5);
    expect(owners(target)).toEqual(zones.map(() => want));
    const [first] = all[0]?.route(target).owners ?? [];
    const own = all.map((each) => each.route(target).owners);
    expect(own.every((each) => each[0] === first)).toBe(true);
    if (want > 1) expect(all.filter((each) => each.isShared(target))).toHaveLength(want);
  });

  test('each knows how many there are', () => {
    const target = fn('f');
    const { all, call } = start(['a', 'b', 'c']);
    expect(all.map((each) => each.ownerCount(target))).toEqual([1, 1, 1]);
    call(target, 10, 5);
    expect(all.map((each) => each.ownerCount(target))).toEqual([3, 3, 3]);
  });

  test('pods that nobody holds go to the owner of their zone, or to the first one', () => {
    const target = fn('f');
    const { all, call } = start(['a', 'b', 'c', 'c']);
    const heirs = (zone: string): string[] => all.filter((each) => each.isHeir(target, zone)).map(({ name }) => name);
    const [first = ''] = all[0]?.route(target).owners ?? [];
    expect(['a', 'b', 'c', 'd'].map(heirs)).toEqual([[first], [first], [first], [first]]);
    call(target, 10, 5);
    expect([heirs('a'), heirs('b'), heirs('d')]).toEqual([['g0'], ['g1'], [first]]);
    expect(heirs('c')).toHaveLength(1);
  });

  test('one owner again after it has been quiet for half a minute', () => {
    const target = fn('f');
    const { all, call } = start(['a', 'b', 'c']);
    const shared = (): number => all.filter((each) => each.isShared(target)).length;
    call(target, 10, 5);
    call(target, 0, 28);
    expect(shared()).toBe(3);
    call(target, 0, 5);
    expect(shared()).toBe(0);
  });

  test('all gateways agree within a second of each other, though each counts by itself', () => {
    const target = fn('f');
    const { call, owners } = start(['a', 'b', 'c']);
    let disagreed = 0;
    for (let second = 0; second < 60; second += 1) {
      call(target, second % 20 < 10 ? 2 : 1, 1);
      const seen = owners(target);
      disagreed = seen.every((count) => count === seen[0]) ? 0 : disagreed + 1;
      expect(disagreed).toBeLessThan(2);
    }
  });

  test('a gateway that has not been heard for 250 ms is quiet, but not to one that stood still meanwhile', () => {
    const { all, alone } = start(['a', 'b']);
    const [one] = all;
    if (one === undefined) throw new Error('no gateway');
    expect(one.isWorthAsking('g1', fn('f'))).toBe(true);
    alone(300);
    expect([one.isQuiet('g1'), one.isDark('b'), one.isWorthAsking('g1', fn('f'))]).toEqual([false, false, false]);
    alone(100);
    expect([one.isQuiet('g1'), one.isDark('b')]).toEqual([true, true]);
    alone(4000);
    expect([one.isQuiet('g1'), one.isDark('b')]).toEqual([true, false]);
  });
});

test('each hears how often the others let calls of an account in', () => {
  const account = '000000000000';
  const perBeat = [4, 1, 0];
  const calls = [0, 0, 0];
  const { all, call } = start(['a', 'b', 'c'], (at) => {
    calls[at] = (calls[at] ?? 0) + (perBeat[at] ?? 0);
    return { ...noLoad, calls: new Map([[account, calls[at] ?? 0]]) };
  });
  call(fn('f'), 0, 4);
  expect(all.map((each) => each.callsElsewhere(account))).toEqual([10, 40, 50]);
  expect(all[0]?.callsElsewhere('111111111111')).toBe(0);
  perBeat.fill(0);
  call(fn('f'), 0, 3);
  expect(all.map((each) => each.callsElsewhere(account))).toEqual([0, 0, 0]);
});

describe('who comes first for a piece of work', () => {
  const keys = Array.from({ length: 50 }, (_, at) => `esm/mapping/${at}`);
  const firsts = (all: readonly Roles[], key: string): string[] =>
    all.filter((each) => each.ranksFirst(key)).map(({ name }) => name);

  test('one of all gateways, and each for some', () => {
    const { all } = start(['a', 'b', 'c']);
    const found = keys.map((key) => firsts(all, key));
    for (const names of found) expect(names).toHaveLength(1);
    expect(new Set(found.flat()).size).toBe(3);
  });

  test('not one that leaves: the next one then, and the others keep what they had', () => {
    const { all, alone } = start(['a', 'b', 'c']);
    const before = keys.map((key) => firsts(all, key)[0]);
    all[2]?.core.leave(all[2].nowMs());
    alone(defaultRingLimits.silenceMs + defaultRingLimits.heartbeatMs);
    for (const [at, key] of keys.entries()) {
      expect(all[2]?.ranksFirst(key)).toBe(false);
      if (before[at] === 'g0') expect(all[0]?.ranksFirst(key)).toBe(true);
    }
  });

  test('not one that does not know the others yet', () => {
    const lonely = new Roles('g0.00000001', defaultRingLimits, () => 0);
    expect(lonely.ranksFirst('esm/mapping')).toBe(false);
  });
});
