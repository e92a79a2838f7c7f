import { describe, expect, test } from '@jest/globals';
import { ServiceException } from '../errors.ts';
import { DispatchCore } from './core.ts';
import { type DispatchLimits, defaultLimits } from './limits.ts';
import { sweep } from './sweep.ts';
import { ManualClock, makeTarget, RecordedEffects, type TestPod, type TestRequest, type TestSlot } from './testing.ts';
import type { Target } from './types.ts';

const error = new ServiceException('test');

function start(limits: Partial<DispatchLimits> = {}) {
  const clock = new ManualClock();
  const effects = new RecordedEffects();
  const all = { ...defaultLimits, ...limits };
  const core = new DispatchCore<TestPod, TestRequest>(all, clock, effects, 'a');
  let requests = 0;
  const slotOf = (pod: string): TestSlot => {
    for (const version of core.census.versions())
      for (const slot of version.slots) if (slot.pod.name === pod) return slot;
    throw new Error(`no slot on ${pod}`);
  };
  return {
    clock,
    effects,
    core,
    slotOf,
    arrive(target: Target, bytes = 10): void {
      requests += 1;
      core.arrive(target, { name: `r${requests}`, bytes, arrivedMs: clock.nowMs(), attempts: 0, startedMs: 0 });
    },
    pod(name: string, zone = 'a', pool = 'nodejs24.x'): void {
      core.claims.podReady({ name, zone, pool });
    },
    answer: (pod: string) => core.answered(slotOf(pod)),
    report: (pod: string, isReusable = true) => core.reported(slotOf(pod), isReusable),
    finish(pod: string): void {
      core.answered(slotOf(pod));
      core.reported(slotOf(pod), true);
    },
    tick: () =>
      sweep(core, all, clock.nowMs(), (slot) => core.lost(slot, { mayRetry: false, error, isSuspicious: true })),
  };
}

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

describe('failing init', () => {
  test('pauses grow and pods are tried one at a time, so the pool is not emptied', () => {
    const { arrive, pod, answer, report, clock, tick, effects, core } = start();
    for (let n = 1; n <= 20; n += 1) pod(`p${n}`);
    arrive(hello);
    arrive(hello);
    for (const name of ['p1', 'p2']) {
      answer(name);
      report(name, false);
    }
    for (let n = 0; n < 5; n += 1) arrive(hello);
    expect(effects.claims).toHaveLength(2);
    clock.advance(100);
    tick();
    expect(effects.claims).toHaveLength(3);
    answer('p3');
    report('p3', false);
    clock.advance(199);
    tick();
    expect(effects.claims).toHaveLength(3);
    clock.advance(1);
    tick();
    expect(effects.claims).toHaveLength(4);
    answer('p4');
    report('p4', true);
    expect(core.census.totals.Starting).toBe(2);
  });

  test('many pods that are lost at once are one failure, not many', () => {
    const { arrive, pod, clock, core, slotOf } = start();
    for (let n = 1; n <= 9; n += 1) pod(`p${n}`);
    clock.advance(1);
    for (let n = 0; n < 4; n += 1) arrive(hello);
    clock.advance(1);
    for (const name of ['p1', 'p2', 'p3', 'p4'])
      core.lost(slotOf(name), { mayRetry: false, error, isSuspicious: true });
    for (let n = 0; n < 4; n += 1) arrive(hello);
    expect(core.census.totals.Starting).toBe(4);
  });

  test('another function is not held up by it', () => {
    const { arrive, pod, answer, report, effects } = start();
    for (let n = 1; n <= 5; n += 1) pod(`p${n}`);
    for (const name of ['p1', 'p2']) {
      arrive(hello);
      answer(name);
      report(name, false);
    }
    arrive(makeTarget({ versionUid: 'good', functionObjectName: 'good' }));
    expect(effects.started[2]).toMatchObject({ pod: 'p3' });
  });
});

describe('provisioned concurrency', () => {
  const provisioned = makeTarget({ provisionedConcurrency: 2, idleTimeoutMs: 1_000 });
  const current = new Map([[provisioned.versionUid, provisioned]]);

  test('is claimed without a call, kept when idle, and filled up again', () => {
    const { core, pod, effects, clock, tick, slotOf } = start();
    core.setVersions(current);
    pod('p1');
    pod('p2');
    pod('p3');
    for (const slot of effects.claims) core.confirmed(slot);
    clock.advance(100_000);
    tick();
    expect(core.census.totals).toMatchObject({ Idle: 2 });
    expect(effects.released).toEqual([]);
    core.lost(slotOf('p1'), { mayRetry: false, error, isSuspicious: false });
    expect(effects.claims.map((slot) => slot.pod.name)).toEqual(['p1', 'p2', 'p3']);
  });

  test('serves calls warm, and what is above it expires', () => {
    const { core, pod, effects, clock, tick, arrive, finish } = start();
    core.setVersions(current);
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    for (const slot of effects.claims) core.confirmed(slot);
    for (let n = 0; n < 3; n += 1) arrive(provisioned);
    expect(effects.started.map((each) => each.start)).toEqual(['warm', 'warm', 'cold']);
    for (const name of ['p1', 'p2', 'p3']) finish(name);
    clock.advance(1_000);
    tick();
    expect(core.census.totals.Idle).toBe(2);
  });
});

describe('versions', () => {
  test('a version that is over loses its idle pods at once, a busy one after its report', () => {
    const { core, pod, arrive, finish, answer, report, effects } = start();
    pod('p1');
    pod('p2');
    arrive(hello);
    arrive(hello);
    finish('p1');
    core.setVersions(new Map());
    expect(effects.released.map((released) => released.name)).toEqual(['p1']);
    answer('p2');
    report('p2');
    expect(effects.released.map((released) => released.name)).toEqual(['p1', 'p2']);
    expect(core.census.versionCount).toBe(0);
  });

  test('an adopted pod serves who waits; a busy one is counted until it is free', () => {
    const { core, arrive, effects } = start();
    const one = makeTarget({ reservedConcurrency: 1 });
    const busy = core.adopt({ name: 'old', zone: 'b', pool: 'nodejs24.x' }, one, true);
    arrive(one);
    expect(effects.started).toEqual([]);
    core.freed(busy);
    expect(effects.started).toMatchObject([{ request: 'r1', pod: 'old', start: 'warm' }]);
  });
});
