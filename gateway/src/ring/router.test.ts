import { describe, expect, test } from '@jest/globals';
import { NoIdleSlot, NotOwner } from '../dispatch/ownership.ts';
import type { Target } from '../dispatch/types.ts';
import { RequestAbandoned, ServiceException } from '../errors.ts';
import { answered } from '../testing.ts';
import { Elsewhere } from './forward-messages.ts';
import { type Route, type RoutingRing, routedInvoke } from './router.ts';
import { fn, invocationOf } from './testing.ts';

/** What a place does with a request: an error, or its name as the answer. */
type Behaviour = Error | 'answers' | 'fails';

/** A ring of `me`, `b` and `c` in which everybody does as told; time moves by a retry per change. */
function world(route: Route, places: Record<string, readonly Behaviour[]>) {
  const steps: string[] = [];
  let nowMs = 0;
  const visits = new Map<string, number>();
  const visit = async (name: string, isIdleOnly: boolean) => {
    const count = visits.get(name) ?? 0;
    visits.set(name, count + 1);
    steps.push(isIdleOnly ? `${name}?` : name);
    const behaviours = places[name] ?? ['answers'];
    const behaviour = behaviours[Math.min(count, behaviours.length - 1)] ?? 'answers';
    if (behaviour === 'answers') return answered(name);
    if (behaviour === 'fails') return { ...answered(name), kind: 'error' as const };
    throw behaviour;
  };
  const ring: RoutingRing = {
    name: 'me',
    route: () => route,
    discount: () => steps.push('discounted'),
    forward: (name, _target, _invocation, isIdleOnly) => visit(name, isIdleOnly),
    change: async (timeoutMs) => {
      nowMs += timeoutMs;
    },
    retryMs: 50,
    nowMs: () => nowMs,
    retryBudgetMs: 5000,
    isWorthAsking: () => true,
    noteBusy: (name) => steps.push(`busy ${name}`),
  };
  const router = routedInvoke(ring, { invoke: (_target, _invocation, how) => visit('me', how?.onlyIdle === true) });
  return { router, steps, nowMs: () => nowMs };
}

const here: Route = { owners: ['me'], isHere: true, others: [], next: 'b' };
const there: Route = { owners: ['b'], isHere: false, others: ['b'], next: 'c' };
const shared: Route = { owners: ['b', 'me', 'c'], isHere: true, others: ['b', 'c'], next: null };
/** b is of the own zone. */
const severalThere: Route = { owners: ['c', 'b'], isHere: false, others: ['b', 'c'], next: null };
const plain = fn('plain');
const reserved = fn('reserved', { reservedConcurrency: 1 });
const unreachable = new Elsewhere('NotSent', 'no link');
const noIdle = new NoIdleSlot('f');
const noIdleThere = new Elsewhere('NoIdleSlot', 'none');
const lost = new ServiceException('may have run');

describe('routedInvoke', () => {
  test.each<
    [reason: string, target: Target, route: Route, places: Record<string, readonly Behaviour[]>, want: string[]]
  >([
    ['the only owner serves itself', plain, here, {}, ['me']],
    ['a non-owner asks the owner', plain, there, {}, ['b']],
    ['... then who would follow', plain, there, { b: [unreachable] }, ['b', 'c']],
    ['... then it serves itself', plain, there, { b: [unreachable], c: [unreachable] }, ['b', 'c', 'me']],
    ['one of several has an idle pod', plain, shared, {}, ['me?']],
    ['... has none: another one has', plain, shared, { me: [noIdle] }, ['me?', 'b?']],
    [
      '... nobody has: it claims or queues',
      plain,
      shared,
      { me: [noIdle, 'answers'], b: [noIdleThere], c: [unreachable] },
      ['me?', 'b?', 'busy b', 'c?', 'busy c', 'me'],
    ],
    ['a non-owner asks several for an idle pod, those of its zone first', plain, severalThere, {}, ['b?']],
    [
      '... so none is claimed while another one is idle',
      plain,
      severalThere,
      { b: [noIdleThere] },
      ['b?', 'busy b', 'c?'],
    ],
    [
      '... nobody has one: the owner of its zone claims or queues',
      plain,
      severalThere,
      { b: [noIdleThere, 'answers'], c: [unreachable] },
      ['b?', 'busy b', 'c?', 'busy c', 'b'],
    ],
    ['reserved: the holder serves', reserved, here, {}, ['me']],
    ['reserved: the owner is asked', reserved, there, {}, ['b']],
    ['reserved: nobody else may', reserved, there, { b: [unreachable, unreachable, 'answers'] }, ['b', 'b', 'b']],
    ['reserved: a term to come is waited for', reserved, here, { me: [new NotOwner('f'), 'answers'] }, ['me', 'me']],
  ])('%s', async (_reason, target, route, places, want) => {
    const { router, steps } = world(route, places);
    const outcome = await router.invoke(target, invocationOf());
    expect(steps).toEqual(want);
    expect(outcome.payload.toString()).toBe(want.at(-1)?.replace('?', ''));
  });

  test.each<[reason: string, target: Target, route: Route, places: Record<string, readonly Behaviour[]>]>([
    ['where it was forwarded to', plain, there, { b: [lost] }],
    ['at another owner', plain, shared, { me: [noIdle], b: [lost] }],
    ['at the holder', reserved, there, { b: [lost] }],
  ])('what may have run %s is not tried again', async (_reason, target, route, places) => {
    const { router, steps } = world(route, places);
    await expect(router.invoke(target, invocationOf())).rejects.toBe(lost);
    expect(steps.filter((step) => step.startsWith('b'))).toHaveLength(1);
  });

  test.each<[reason: string, route: Route, places: Record<string, readonly Behaviour[]>, count: number]>([
    ['is answered', here, {}, 0],
    ['fails here', here, { me: ['fails'] }, 1],
    ['fails elsewhere', there, { b: ['fails'] }, 1],
    ['is lost', there, { b: [lost] }, 1],
  ])(
    'a request that %s is no reason to spread the function, unless it was answered',
    async (_reason, route, places, count) => {
      const { router, steps } = world(route, places);
      await router.invoke(plain, invocationOf()).catch(() => undefined);
      expect(steps.filter((step) => step === 'discounted')).toHaveLength(count);
    },
  );

  test('a reserved function without a holder is throttled after five seconds of waiting', async () => {
    const { router, nowMs } = world(there, { b: [new Elsewhere('NotOwner', 'no term')] });
    await expect(router.invoke(reserved, invocationOf())).rejects.toMatchObject({
      throttle: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
    expect(nowMs()).toBe(50 + 100 + 25 * 200);
  });

  test.each<[reason: string, target: Target]>([
    ['another owner', plain],
    ['a holder', reserved],
  ])('who has gone away waits for %s no more', async (_reason, target) => {
    const { router, steps } = world(there, { b: [unreachable] });
    const call = router.invoke(target, invocationOf('{}', { isAbandoned: () => true }));
    await expect(call).rejects.toBeInstanceOf(RequestAbandoned);
    expect(steps.filter((step) => step !== 'discounted')).toEqual(['b']);
  });
});
