import { describe, expect, test } from '@jest/globals';
import { TooManyRequests } from '../errors.ts';
import type { DispatchLimits } from './limits.ts';
import { type CoreRules, noRules } from './rules.ts';
import { makeRequest, makeTarget, startCore } from './testing.ts';
import type { Target } from './types.ts';

const free = makeTarget();
const capped = makeTarget({ versionUid: 'capped', functionObjectName: 'capped', reservedConcurrency: 2 });

/** A core with pods, in which every call is answered at once. */
function start(limits: Partial<DispatchLimits> = {}, rules: Partial<CoreRules> = {}) {
  const world = startCore(limits, { ...noRules, ...rules });
  for (let n = 0; n < 3; n += 1) world.pod(`p${n}`);
  /** Reason of the refusal; null = it ran. */
  const call = (target: Target): string | null => {
    const before = world.effects.started.length;
    try {
      world.arrive(target);
    } catch (error) {
      if (error instanceof TooManyRequests) return error.throttle;
      throw error;
    }
    const started = world.effects.started[before];
    if (started === undefined) throw new Error('it waits');
    world.finish(started.pod);
    return null;
  };
  /** How many of `count` calls, all at this moment, run; and why the others do not. */
  const burst = (target: Target, count: number): [ran: number, why: readonly (string | null)[]] => {
    const results = Array.from({ length: count }, () => call(target));
    const refused = results.filter((result) => result !== null);
    return [count - refused.length, [...new Set(refused)]];
  };
  return { ...world, burst };
}

describe('calls in a second', () => {
  test('of a function with reserved concurrency: ten for each unit', () => {
    const { burst, clock } = start();
    expect(burst(capped, 50)).toEqual([20, ['ReservedFunctionInvocationRateLimitExceeded']]);
    clock.advance(500);
    expect(burst(capped, 50)).toEqual([10, ['ReservedFunctionInvocationRateLimitExceeded']]);
    clock.advance(60_000);
    expect(burst(capped, 50)[0]).toBe(20);
  });

  test('of an account: ten for each unit that nobody has reserved', () => {
    const { burst, core, pod } = start({ accountConcurrency: 12, minUnreservedConcurrency: 5 });
    pod('p4');
    const elsewhere = makeTarget({ versionUid: 'far', functionObjectName: 'far', accountId: '111111111111' });
    core.setVersions(new Map([free, capped, elsewhere].map((target) => [target.versionUid, target])));
    expect(burst(free, 150)).toEqual([100, ['CallerRateLimitExceeded']]);
    const other = makeTarget({ versionUid: 'other', functionObjectName: 'other' });
    expect(burst(other, 5)).toEqual([0, ['CallerRateLimitExceeded']]);
    expect(burst(capped, 20)[0]).toBe(20);
    expect(burst(elsewhere, 5)[0]).toBe(5);
  });

  test('what is above concurrency takes nothing of it', () => {
    const { arrive, finish, burst } = start();
    arrive(capped);
    arrive(capped);
    expect(() => burst(capped, 1)).not.toThrow();
    expect(burst(capped, 50)).toEqual([0, ['ReservedFunctionConcurrentInvocationLimitExceeded']]);
    finish('p0');
    expect(burst(capped, 50)).toEqual([18, ['ReservedFunctionInvocationRateLimitExceeded']]);
  });

  test('a new cap has a new rate', () => {
    const { burst } = start();
    expect(burst(capped, 50)[0]).toBe(20);
    expect(burst({ ...capped, reservedConcurrency: 1 }, 50)[0]).toBe(10);
  });

  test.each<[reason: string, limits: Partial<DispatchLimits>, target: Target, want: number]>([
    ['another number', { callsPerConcurrency: 3 }, capped, 6],
    ['none, with a cap', { callsPerConcurrency: 0 }, capped, 500],
    ['none, without a cap', { callsPerConcurrency: 0, accountConcurrency: 5 }, free, 500],
    ['an account that is smaller than what is always unreserved', { accountConcurrency: 4 }, free, 40],
  ])('%s', (_reason, limits, target, want) => {
    expect(start(limits).burst(target, 500)[0]).toBe(want);
  });

  test.each<[reason: string, elsewhere: number, gateways: number, want: number]>([
    ['nobody else has any: all', 0, 3, 90],
    ['what the others leave', 40, 3, 50],
    ['an equal part at least', 80, 3, 30],
  ])('an account over several gateways: %s', (_reason, elsewhere, gateways, want) => {
    const rules = { callsElsewhere: () => elsewhere, gatewayCount: () => gateways };
    const { burst, clock, tick } = start({ accountConcurrency: 9 }, rules);
    burst(free, 1);
    clock.advance(10_000);
    tick();
    expect(burst(free, 500)[0]).toBe(want);
  });
});

describe('how fast a function gets pods', () => {
  const limits = { scaleOutPods: 5, scaleOutMs: 1_000 };

  test('five at once, then one each fifth of a second; who needs another one is refused', () => {
    const { arrive, pod, effects, clock, tick } = start(limits);
    for (let n = 3; n < 20; n += 1) pod(`p${n}`);
    for (let n = 0; n < 5; n += 1) arrive(free);
    expect(effects.claims).toHaveLength(5);
    expect(() => arrive(free)).toThrow(expect.objectContaining({ reason: 'FunctionInvocationRateLimitExceeded' }));
    clock.advance(200);
    tick();
    arrive(free);
    expect(effects.claims).toHaveLength(6);
    expect(() => arrive(free)).toThrow(expect.objectContaining({ status: 429 }));
  });

  test('idle pods are not held back by it, nor other functions', () => {
    const { arrive, pod, finish, effects } = start(limits);
    for (let n = 3; n < 20; n += 1) pod(`p${n}`);
    for (let n = 0; n < 5; n += 1) arrive(free);
    finish('p0');
    arrive(free);
    expect(effects.started.at(-1)).toMatchObject({ pod: 'p0', start: 'warm' });
    arrive(makeTarget({ versionUid: 'other', functionObjectName: 'other' }));
    expect(effects.claims).toHaveLength(6);
  });

  test('several owners share it', () => {
    const { arrive, pod, effects } = start(
      { scaleOutPods: 10, scaleOutMs: 1_000 },
      { ownerCount: () => 2, isShared: () => true },
    );
    for (let n = 3; n < 20; n += 1) pod(`p${n}`);
    for (let n = 0; n < 5; n += 1) arrive(free);
    expect(() => arrive(free)).toThrow(expect.objectContaining({ reason: 'FunctionInvocationRateLimitExceeded' }));
    expect(effects.claims).toHaveLength(5);
  });

  test('provisioned concurrency comes at that pace, too, without any call', () => {
    const { pod, core, effects, clock, tick } = start(limits);
    for (let n = 3; n < 20; n += 1) pod(`p${n}`);
    const provided = makeTarget({ provisionedConcurrency: 8 });
    core.setVersions(new Map([[provided.versionUid, provided]]));
    clock.advance(10_000); // what provisioning waits for after a start
    expect(effects.claims.length).toBeLessThan(8);
    for (let n = 0; n < 10; n += 1) {
      clock.advance(200);
      tick();
    }
    expect(effects.claims).toHaveLength(8);
  });
});

test('what is left of an account is what nobody uses, anywhere', () => {
  const { arrive, core } = start(
    { accountConcurrency: 12, minUnreservedConcurrency: 5 },
    { outstandingElsewhere: () => 3 },
  );
  core.setVersions(new Map([free, capped].map((target) => [target.versionUid, target])));
  arrive(free);
  const [account] = core.census.accounts();
  expect(account === undefined ? null : core.gate.unreservedLeft(account)).toBe(6);
});

describe('events of the queue leave some of an account to synchronous callers', () => {
  test.each<[reason: string, limits: Partial<DispatchLimits>, elsewhere: number, target: Target, want: number]>([
    ['80 % of what nobody has reserved', { accountConcurrency: 12, minUnreservedConcurrency: 5 }, 0, free, 8],
    ['what runs at other gateways counts', { accountConcurrency: 12, minUnreservedConcurrency: 5 }, 3, free, 5],
    ['one at least', { accountConcurrency: 1 }, 0, free, 1],
    ['reserved concurrency is the function’s own', { accountConcurrency: 12 }, 11, capped, 2],
  ])('%s', (_reason, limits, elsewhere, target, want) => {
    const { core, clock, arrive } = start(limits, { outstandingElsewhere: () => elsewhere });
    core.setVersions(new Map([free, capped].map((each) => [each.versionUid, each])));
    const come = (n: number): void =>
      core.arrive(target, { ...makeRequest(`event-${n}`, clock.nowMs()), isAsync: true }, false);
    for (let n = 0; n < want; n += 1) come(n);
    expect(() => come(want)).toThrow(expect.objectContaining({ status: 429 }));
    if (target === free && want > 1) expect(() => arrive(free)).not.toThrow();
  });
});

test('events of the queue take none of the calls in a second, and run when those are used up', () => {
  const { burst, core, clock, effects, finish } = start();
  expect(burst(capped, 50)[0]).toBe(20);
  for (let n = 0; n < 30; n += 1) {
    const before = effects.started.length;
    core.arrive(capped, { ...makeRequest(`event-${n}`, clock.nowMs()), isAsync: true }, false);
    finish(effects.started[before]?.pod ?? '');
  }
  clock.advance(1000);
  expect(burst(capped, 50)[0]).toBe(20);
});
