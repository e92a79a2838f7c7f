import { describe, expect, test } from '@jest/globals';
import { noRules } from './rules.ts';
import { makeTarget, startCore as start } from './testing.ts';

const hello = makeTarget();

describe('slots', () => {
  test('a request claims a generic pod and goes along with the claim', () => {
    const { arrive, pod, effects } = start();
    pod('p1');
    arrive(hello);
    expect(effects.log).toEqual(['claim p1', 'cold r1 on p1']);
  });

  test('sequential calls use one pod; the report alone makes it free', () => {
    const { arrive, pod, answer, report, effects } = start();
    pod('p1');
    pod('p2');
    arrive(hello);
    answer('p1');
    arrive(hello);
    expect(effects.started).toHaveLength(1);
    report('p1');
    expect(effects.started[1]).toMatchObject({ request: 'r2', pod: 'p1', start: 'warm' });
  });

  test('a request waits for a finishing pod for the grace only', () => {
    const { arrive, pod, answer, clock, effects } = start();
    pod('p1');
    pod('p2');
    arrive(hello);
    answer('p1');
    arrive(hello);
    clock.advance(19);
    expect(effects.started).toHaveLength(1);
    clock.advance(1);
    expect(effects.started[1]).toMatchObject({ request: 'r2', pod: 'p2', start: 'cold' });
  });

  test('a second request beside a finishing pod claims at once', () => {
    const { arrive, pod, answer, effects } = start();
    pod('p1');
    pod('p2');
    arrive(hello);
    answer('p1');
    arrive(hello);
    arrive(hello);
    expect(effects.started[1]).toMatchObject({ request: 'r2', pod: 'p2' });
  });

  test('the most recently used pod is used first, so that the others can expire', () => {
    const { arrive, pod, finish, effects, clock, tick, core } = start();
    pod('p1');
    pod('p2');
    arrive(hello);
    arrive(hello);
    finish('p1');
    finish('p2');
    clock.advance(200_000);
    arrive(hello);
    expect(effects.started[2]).toMatchObject({ pod: 'p2' });
    finish('p2');
    clock.advance(100_000);
    tick();
    expect(effects.released.map((released) => released.name)).toEqual(['p1']);
    clock.advance(200_000);
    tick();
    expect(effects.released.map((released) => released.name)).toEqual(['p1', 'p2']);
    expect(core.census.versionCount).toBe(0);
  });

  test('twenty at once are twenty pods, spread over the zones', () => {
    const { arrive, pod, effects } = start();
    for (let n = 0; n < 30; n += 1) pod(`p${n}-${'abc'[n % 3]}`, 'abc'[n % 3]);
    for (let n = 0; n < 20; n += 1) arrive(hello);
    const zones = effects.claims.map((slot) => slot.pod.zone);
    expect(zones.slice(0, 3)).toEqual(['a', 'b', 'c']);
    for (const zone of 'abc') expect(Math.abs(zones.filter((each) => each === zone).length - 20 / 3)).toBeLessThan(1);
  });

  test('where pods are not replaced twenty at once are one pod, and more only when they wait on', () => {
    const { arrive, pod, answer, report, clock, effects } = start({}, { ...noRules, arePodsReplaced: () => false });
    for (let at = 0; at < 20; at += 1) pod(`p${at}`);
    for (let at = 0; at < 20; at += 1) arrive(hello);
    expect(effects.claims).toHaveLength(1);
    clock.advance(2_000);
    answer('p0');
    report('p0'); // it took seconds: one pod was not enough
    expect(effects.claims).toHaveLength(2);
  });

  test('without generic pods the pool is asked, and pods are served in order as they come', () => {
    const { arrive, pod, effects, clock, core } = start();
    arrive(hello);
    arrive(hello);
    clock.settle();
    expect(effects.wanted.get('nodejs24.x')).toBe(2);
    pod('p1');
    pod('p2');
    expect(effects.log).toEqual(['claim p1', 'cold r1 on p1', 'claim p2', 'cold r2 on p2']);
    core.claims.remind();
    expect(effects.wanted.get('nodejs24.x')).toBe(0);
  });

  test('what is known of the pool of an image goes when nobody has a pod of it or waits for one', () => {
    const { arrive, core } = start();
    const names = () => core.claims.pools().map(({ pool }) => pool);
    arrive(makeTarget({ pool: 'image-1' }));
    for (const pool of ['image-2', 'nodejs24.x']) core.claims.takeSpare(pool, '', true);
    expect(names()).toEqual(['image-1', 'image-2', 'nodejs24.x']);
    core.claims.remind();
    expect(names()).toEqual(['image-1', 'nodejs24.x']);
  });

  test('functions of one pool take turns for scarce pods', () => {
    const { arrive, pod, effects } = start();
    const other = makeTarget({ versionUid: 'uid-2', functionObjectName: 'other' });
    for (let n = 0; n < 4; n += 1) arrive(hello);
    arrive(other);
    arrive(other);
    for (let n = 1; n <= 4; n += 1) pod(`p${n}`);
    expect(effects.started.map((each) => each.request)).toEqual(['r1', 'r5', 'r2', 'r6']);
  });

  test('a pod that comes too late stays generic', () => {
    const { arrive, pod, finish, effects, core } = start();
    pod('p1');
    arrive(hello);
    arrive(hello);
    finish('p1');
    pod('p2');
    expect(effects.claims).toHaveLength(1);
    expect(core.claims.pools()).toEqual([{ pool: 'nodejs24.x', generic: 1, missing: 0 }]);
  });

  test('a request whose caller went away while it waited gets no pod', () => {
    const { arrive, pod, effects, gone, core } = start();
    for (let n = 1; n <= 4; n += 1) arrive(hello);
    gone.add('r1').add('r3');
    pod('p1');
    pod('p2');
    pod('p3');
    expect(effects.started.map((each) => each.request)).toEqual(['r2', 'r4']);
    expect(effects.failed.map((each) => [each.request, each.error.name])).toEqual([
      ['r1', 'RequestAbandoned'],
      ['r3', 'RequestAbandoned'],
    ]);
    expect(core.claims.pools()).toEqual([{ pool: 'nodejs24.x', generic: 1, missing: 0 }]);
  });

  test('a dead link is not an error of the request: another pod takes it', () => {
    const { arrive, pod, finish, effects, slotOf } = start();
    pod('p1');
    arrive(hello);
    finish('p1');
    effects.dead.add(slotOf('p1').pod);
    pod('p2');
    arrive(hello);
    expect(effects.started[1]).toMatchObject({ request: 'r2', pod: 'p2', start: 'cold', attempt: 2 });
  });
});

describe('limits', () => {
  test('reserved concurrency throttles at once, 0 always', () => {
    const { arrive, pod, finish } = start();
    const one = makeTarget({ reservedConcurrency: 1 });
    pod('p1');
    pod('p2');
    arrive(one);
    expect(() => arrive(one)).toThrow(
      expect.objectContaining({ status: 429, reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' }),
    );
    finish('p1');
    arrive(one);
    expect(() => arrive(makeTarget({ versionUid: 'z', functionObjectName: 'z', reservedConcurrency: 0 }))).toThrow(
      'Rate Exceeded.',
    );
  });

  test('versions of one function share its cap, and one that finishes makes room for the other', () => {
    const { arrive, pod, answer, report, effects } = start();
    const v1 = makeTarget({ versionUid: 'v1', reservedConcurrency: 1 });
    const v2 = makeTarget({ versionUid: 'v2', reservedConcurrency: 1 });
    pod('p1');
    pod('p2');
    arrive(v1);
    answer('p1');
    arrive(v2);
    expect(effects.started).toHaveLength(1);
    report('p1');
    expect(effects.started[1]).toMatchObject({ request: 'r2', pod: 'p2' });
  });

  test('an idle pod waits too while another version still finishes under the cap', () => {
    const { arrive, pod, answer, report, finish, effects } = start();
    const v1 = makeTarget({ versionUid: 'v1', reservedConcurrency: 1 });
    const v2 = makeTarget({ versionUid: 'v2', reservedConcurrency: 1 });
    pod('p1');
    arrive(v1);
    finish('p1');
    pod('p2');
    arrive(v2);
    answer('p2');
    arrive(v1);
    expect(effects.started).toHaveLength(2);
    report('p2');
    expect(effects.started[2]).toMatchObject({ request: 'r3', pod: 'p1', start: 'warm' });
  });

  test('the account limit leaves reserved concurrency out', () => {
    const { arrive, core } = start({ accountConcurrency: 12, minUnreservedConcurrency: 2 });
    const reserved = makeTarget({ versionUid: 'v2', functionObjectName: 'reserved', reservedConcurrency: 9 });
    core.setVersions(new Map([hello, reserved].map((target) => [target.versionUid, target])));
    arrive(hello);
    arrive(hello);
    arrive(reserved);
    arrive(hello);
    expect(() => arrive(hello)).toThrow(expect.objectContaining({ reason: 'ConcurrentInvocationLimitExceeded' }));
    arrive(reserved);
  });

  test('the queue is bounded in requests and in bytes', () => {
    const few = start({ maxQueued: 2 });
    few.arrive(hello);
    few.arrive(hello);
    expect(() => few.arrive(hello)).toThrow(/wait for a pod/);
    const small = start({ maxQueuedBytes: 100 });
    small.arrive(hello, 99);
    small.arrive(hello, 1);
    expect(() => small.arrive(hello, 1)).toThrow(/wait for a pod/);
    const total = start({ maxTotalQueuedBytes: 100 });
    total.arrive(hello, 99);
    expect(() => total.arrive(makeTarget({ versionUid: 'other' }), 2)).toThrow(/wait for a pod/);
  });

  test('waiting has a budget of its own, whose error says whose fault it is', () => {
    const { arrive, clock, tick, effects, core } = start();
    arrive(hello);
    clock.advance(10_000);
    arrive(hello);
    clock.advance(20_000);
    tick();
    expect(effects.failed).toHaveLength(1);
    expect(effects.failed[0]?.error).toMatchObject({
      code: 'ServiceException',
      fault: 'platform',
      retryAfterSeconds: 5,
    });
    expect(effects.failed[0]?.error.message).toMatch(/platform's fault.*kubectl get pool nodejs24.x.*did not run/);
    expect(core.census.queuedCount).toBe(1);
  });

  test('an overdue invocation fails once and frees nothing twice', () => {
    const { arrive, pod, clock, tick, effects, core } = start();
    pod('p1');
    arrive(hello);
    clock.advance(3_000 + 10_000 + 4_999);
    tick();
    expect(effects.failed).toEqual([]);
    clock.advance(1);
    tick();
    tick();
    expect(effects.failed.map((each) => each.request)).toEqual(['r1']);
    expect(core.census.outstanding).toBe(0);
  });
});
