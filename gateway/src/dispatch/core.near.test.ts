import { describe, expect, test } from '@jest/globals';
import { NoIdleSlot } from './ownership.ts';
import { noRules } from './rules.ts';
import { makePod, makeTarget, startCore } from './testing.ts';

const hello = makeTarget();
/** A core in zone a that is one of several owners. */
const start = (target = hello, rules = noRules) => {
  const core = startCore({}, { ...rules, isShared: () => true });
  /** Another owner, or this gateway's own router, asks for an idle pod. */
  const ask = (): void => core.arrive(target, 10, true);
  return { ...core, ask, refused: () => expect(ask).toThrow(NoIdleSlot) };
};

describe('one of several owners keeps a pod of its own zone', () => {
  test('who asks for an idle pod in vain has one claimed for the calls to come, and does not wait for it', () => {
    const { pod, refused, ask, slotOf, core, effects } = start();
    pod('b1', 'b');
    pod('a1', 'a');
    pod('b2', 'b');
    refused();
    expect(effects.log).toEqual(['claim a1']);
    refused();
    core.confirmed(slotOf('a1'));
    ask();
    expect(effects.log).toEqual(['claim a1', 'warm r3 on a1']);
  });

  test('a pod of another zone serves meanwhile', () => {
    const { pod, arrive, finish, ask, effects } = start();
    pod('b1', 'b');
    arrive(hello);
    finish('b1');
    pod('a1', 'a');
    pod('c1', 'c');
    ask();
    expect(effects.log.slice(2)).toEqual(['warm r2 on b1', 'claim a1']);
  });

  test('one of its zone is enough, busy or not', () => {
    const { pod, arrive, refused, effects } = start();
    pod('a1', 'a');
    arrive(hello);
    pod('a2', 'a');
    pod('a3', 'a');
    refused();
    expect(effects.claims).toHaveLength(1);
  });

  test('without one of its zone to spare another one does, but only as the first', () => {
    const { pod, refused, ask, core, slotOf, clock, effects } = start();
    pod('b1', 'b');
    pod('b2', 'b');
    refused();
    expect(effects.log).toEqual(['claim b1']);
    core.confirmed(slotOf('b1'));
    pod('b3', 'b');
    clock.advance(60_000);
    ask();
    expect(effects.log).toEqual(['claim b1', 'warm r2 on b1']);
  });

  test('where pods are not replaced, as while the API server is away, they are for those who wait', () => {
    const { pod, refused, arrive, effects } = start(hello, { ...noRules, arePodsReplaced: () => false });
    for (const name of ['a1', 'a2', 'a3']) pod(name, 'a');
    refused();
    expect(effects.claims).toEqual([]);
    arrive(hello);
    expect(effects.claims).toHaveLength(1);
  });

  test('the last pod of a pool stays, and one that somebody waits for', () => {
    const { pod, refused, arrive, effects } = start();
    pod('a1', 'a');
    refused();
    expect(effects.claims).toEqual([]);
    arrive(makeTarget({ versionUid: 'other', functionObjectName: 'other' }));
    arrive(makeTarget({ versionUid: 'third', functionObjectName: 'third' }));
    refused();
    expect(effects.log).toEqual(['claim a1', 'cold r2 on a1']);
  });

  test('a lost one is not followed by the next at once', () => {
    const { pod, refused, core, slotOf, clock, effects } = start();
    for (const name of ['a1', 'a2', 'a3', 'a4']) pod(name, 'a');
    refused();
    core.forget(slotOf('a1'));
    refused();
    expect(effects.log).toEqual(['claim a1']);
    clock.advance(10_000);
    refused();
    expect(effects.log).toEqual(['claim a1', 'claim a2']);
  });

  test.each([
    ['a single owner', { isShared: () => false }, hello],
    ['a function with reserved concurrency', { isShared: () => true }, makeTarget({ reservedConcurrency: 5 })],
  ])('%s claims for who waits only', (_reason, rules, target) => {
    const { pod, arrive, effects } = startCore({}, { ...noRules, ...rules });
    for (const name of ['a1', 'a2', 'a3']) pod(name, 'a');
    expect(() => arrive(target, 10, true)).toThrow(NoIdleSlot);
    expect(effects.claims).toEqual([]);
  });

  test('who asks for an idle pod gets none that is suspect: another owner may have a better one', () => {
    const { pod, arrive, finish, refused, core, slotOf, effects } = start();
    pod('a1', 'a');
    arrive(hello);
    finish('a1');
    const slot = slotOf('a1');
    slot.pod.isSuspect = true;
    core.suspected(slot);
    refused();
    arrive(hello); // nobody has
    expect(effects.log).toEqual(['claim a1', 'cold r1 on a1', 'warm r3 on a1']);
  });

  test('its first request is no cold start: what cold starts take is known from its claim, until there is a real one', () => {
    const { pod, refused, ask, core, slotOf, clock, finish } = start();
    pod('a1', 'a');
    pod('a2', 'a');
    refused();
    clock.advance(80);
    core.confirmed(slotOf('a1'));
    clock.advance(5_000);
    ask();
    clock.advance(10);
    const { version } = slotOf('a1');
    finish('a1');
    expect({ coldMs: version.coldMs, meanMs: version.meanMs }).toEqual({ coldMs: 80, meanMs: 10 });
  });

  test('it is idle for as long as any other, then it goes', () => {
    const { pod, refused, core, slotOf, clock, tick, effects } = start();
    pod('a1', 'a');
    pod('a2', 'a');
    refused();
    core.confirmed(slotOf('a1'));
    clock.advance(hello.idleTimeoutMs);
    tick();
    expect(effects.log).toEqual(['claim a1', 'release a1: idle']);
  });
});

describe('one of several owners that is often asked in vain', () => {
  /** One pod of zone a that is busy, generic pods in zones a and b, and so many asks in each of some seconds. */
  const startBusy = (target = hello) => {
    const all = start(target);
    const { pod, arrive, core, clock } = all;
    pod('a1', 'a');
    arrive(target);
    for (const name of ['a2', 'a3', 'a4']) pod(name, 'a');
    for (const name of ['b1', 'b2']) pod(name, 'b');
    const seconds = (count: number, asks: number): void => {
      for (let second = 0; second < count; second += 1) {
        for (let ask = 0; ask < asks; ask += 1) all.refused();
        clock.advance(1000);
        core.near.second();
      }
    };
    const claims = (): readonly string[] => all.effects.log.filter((line) => line.startsWith('claim')).slice(1);
    return { ...all, seconds, claims };
  };

  test('has one more pod of its zone after three such seconds, and another one after three more', () => {
    const { seconds, claims, slotOf, core, ask } = startBusy();
    seconds(2, 20);
    expect(claims()).toEqual([]);
    seconds(1, 20);
    expect(claims()).toEqual(['claim a2']);
    core.confirmed(slotOf('a2'));
    ask(); // a2 is busy, too
    seconds(3, 20);
    expect(claims()).toEqual(['claim a2', 'claim a3']);
  });

  test.each([
    ['a second without such asks between them', 20, 0],
    ['asks that are few', 19, 19],
  ])('not with %s', (_case, first, second) => {
    const { seconds, claims } = startBusy();
    for (let round = 0; round < 5; round += 1) {
      seconds(2, first);
      seconds(1, second);
    }
    expect(claims()).toEqual([]);
  });

  test('not when most are served', () => {
    const { seconds, ask, finish, claims, core, clock } = startBusy();
    for (let second = 0; second < 5; second += 1) {
      finish('a1');
      for (let served = 0; served < 100; served += 1) {
        ask();
        if (served < 99) finish('a1');
      }
      for (let refused = 0; refused < 20; refused += 1) expect(ask).toThrow(NoIdleSlot);
      clock.advance(1000);
      core.near.second();
    }
    expect(claims()).toEqual([]);
    seconds(3, 20);
    expect(claims()).toEqual(['claim a2']);
  });

  test('not of another zone, and not while one is coming', () => {
    const { seconds, claims, core, slotOf, ask } = startBusy();
    seconds(9, 20); // a2 does not confirm
    expect(claims()).toEqual(['claim a2']);
    for (const name of ['a2', 'a3', 'a4']) {
      core.confirmed(slotOf(name));
      ask();
      seconds(3, 20);
    }
    expect(claims()).toEqual(['claim a2', 'claim a3', 'claim a4']); // and none of zone b
  });
});

test('who only adopted warm pods claims few more for a bunch of short requests', () => {
  const { pod, arrive, finish, core, clock, effects } = startCore();
  core.adopt(makePod('warm'), hello, 'Idle');
  for (let call = 0; call < 20; call += 1) {
    arrive(hello);
    clock.advance(10);
    finish('warm');
  }
  for (let number = 0; number < 30; number += 1) pod(`g${number}`);
  for (let call = 0; call < 20; call += 1) arrive(hello);
  expect(effects.claims.length).toBeLessThanOrEqual(1);
});
