import { afterEach, describe, expect, test } from '@jest/globals';
import { NoIdleSlot } from '../dispatch/ownership.ts';
import type { Outcome } from '../dispatch/types.ts';
import { TooManyRequests } from '../errors.ts';
import { answered, report } from '../testing.ts';
import { rankNames } from './rendezvous.ts';
import { fn, invocationOf, makeInstallKey, TestRing, until } from './testing.ts';

const names = ['a', 'b', 'c'];
const plain = fn('plain');
const reserved = fn('reserved', { reservedConcurrency: 10 });
const plainOrder = rankNames('default/plain', names);
const reservedOrder = rankNames('default/reserved', names);

let world: TestRing;
afterEach(() => world.stop());

async function three(): Promise<TestRing> {
  world = new TestRing([plain, reserved]);
  await Promise.all(names.map((name) => world.start(name, { zone: `zone-${name}` })));
  await world.settled();
  return world;
}

const at = (order: readonly string[], place: number): string => order[place] ?? '';
const textOf = (outcome: Outcome): string => outcome.payload.toString('utf8');
const holdersOf = (key: string): readonly string[] =>
  [...world.gateways.values()].filter(({ ring }) => ring.term(key) !== null).map(({ name }) => name);

describe('three gateways over sockets', () => {
  test('a request runs at the owner, whoever gets it; answer and report come back', async () => {
    await three();
    for (const name of names) {
      const outcome = await world.get(name).ring.router.invoke(plain, invocationOf());
      expect(textOf(outcome)).toBe(at(plainOrder, 0));
      expect(await outcome.report).toEqual(report);
    }
    expect(world.get(at(plainOrder, 1)).ring.stats().forwarded).toMatchObject({ answered: 1 });
  });

  test('events and answers of six MiB pass, byte by byte the same; the budget is given back', async () => {
    await three();
    const event = Buffer.alloc(6_291_556, 'e');
    world.get(at(plainOrder, 0)).runner = async (_target, invocation) => answered(invocation.event);
    const from = world.get(at(plainOrder, 1)).ring;
    const outcomes = await Promise.all([1, 2, 3].map(() => from.router.invoke(plain, invocationOf(event))));
    for (const outcome of outcomes) expect(outcome.payload.equals(event)).toBe(true);
    expect(world.get(at(plainOrder, 0)).ring.stats().receivedBytes).toBe(0);
  });

  test('what does not fit the budget of the owner is served where it came in, and bytes are given back', async () => {
    world = new TestRing([plain], { maxForwardedBytes: 100_000 });
    await Promise.all(names.map((name) => world.start(name)));
    await world.settled();
    const from = world.get(at(plainOrder, 2));
    // The next in line has no room either.
    const outcome = await from.ring.router.invoke(plain, invocationOf(Buffer.alloc(600_000)));
    expect(textOf(outcome)).toBe(from.name);
    expect(from.ring.stats().forwarded.elsewhere).toBe(2);
    expect(world.get(at(plainOrder, 0)).ring.stats().receivedBytes).toBe(0);
  });

  test('an error of the owner reaches the caller as it is', async () => {
    await three();
    world.get(at(plainOrder, 0)).runner = async () => {
      throw new TooManyRequests('ConcurrentInvocationLimitExceeded');
    };
    const call = world.get(at(plainOrder, 1)).ring.router.invoke(plain, invocationOf());
    await expect(call).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      throttle: 'ConcurrentInvocationLimitExceeded',
      status: 429,
    });
  });

  test('the owner dies: what was with it may have run, what comes then is served at once', async () => {
    await three();
    const owner = world.get(at(plainOrder, 0));
    const from = world.get(at(plainOrder, 1));
    owner.runner = () => new Promise(() => {});
    const lost = from.ring.router.invoke(plain, invocationOf());
    await until(() => owner.ring.stats().received === 1);
    const expectation = expect(lost).rejects.toMatchObject({ code: 'ServiceException', message: /may have run/ });
    await world.kill(owner.name);
    await expectation;
    const startMs = performance.now();
    expect(textOf(await from.ring.router.invoke(plain, invocationOf()))).toBe(from.name);
    expect(performance.now() - startMs).toBeLessThan(500);
  });

  test('a caller that goes away is gone at the owner, too', async () => {
    await three();
    const owner = world.get(at(plainOrder, 0));
    let isAbandonedThere = (): boolean => false;
    owner.runner = (_target, invocation) => {
      isAbandonedThere = () => invocation.isAbandoned?.() === true;
      return until(isAbandonedThere).then(() => answered('late'));
    };
    let isGone = false;
    const invocation = invocationOf('{}', { isAbandoned: () => isGone });
    const call = world.get(at(plainOrder, 1)).ring.router.invoke(plain, invocation);
    await until(() => owner.ring.stats().received === 1);
    expect(isAbandonedThere()).toBe(false);
    isGone = true;
    await call;
    expect(isAbandonedThere()).toBe(true);
  });

  test('a hot function has more owners; one without an idle pod asks the others first', async () => {
    await three();
    const first = world.get(at(plainOrder, 0));
    first.running = new Map([['default/plain', 70]]);
    await until(() => [...world.gateways.values()].every(({ ring }) => ring.isOwner(plain)));
    first.runner = async (_target, _invocation, onlyIdle) => {
      if (onlyIdle) throw new NoIdleSlot('default/plain');
      return answered('queued here');
    };
    const [second, third] = [world.get(at(plainOrder, 1)), world.get(at(plainOrder, 2))];
    expect(names).toContain(textOf(await first.ring.router.invoke(plain, invocationOf())));
    for (const other of [second, third]) other.runner = first.runner;
    expect(textOf(await first.ring.router.invoke(plain, invocationOf()))).toBe('queued here');
  });

  test('a function that is called steadily has an owner in every zone: it is served where it comes in', async () => {
    await three();
    const call = (name: string, target = plain) => world.get(name).ring.router.invoke(target, invocationOf());
    const endMs = performance.now() + 10_000;
    while (!names.every((name) => world.get(name).ring.stats().steady === 1)) {
      expect(performance.now()).toBeLessThan(endMs);
      for (const name of names) await call(name);
      await call(at(plainOrder, 0), reserved);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const name of names) {
      expect(textOf(await call(name))).toBe(name);
      expect(textOf(await call(name, reserved))).toBe(at(reservedOrder, 0)); // as always
    }
  });

  test('the reserved function has one holder, and its requests run there', async () => {
    await three();
    for (const name of names) {
      const outcome = await world.get(name).ring.router.invoke(reserved, invocationOf());
      expect(textOf(outcome)).toBe(at(reservedOrder, 0));
      expect(holdersOf('default/reserved')).toEqual([at(reservedOrder, 0)]);
    }
  });

  test('the holder dies: another one within three seconds, requests wait for it', async () => {
    await three();
    await world.get(at(reservedOrder, 0)).ring.router.invoke(reserved, invocationOf());
    await world.kill(at(reservedOrder, 0));
    const startMs = performance.now();
    const from = world.get(at(reservedOrder, 2));
    await until(() => from.ring.stats().linked === 1); // what is written before that may have run
    expect(textOf(await from.ring.router.invoke(reserved, invocationOf()))).toBe(at(reservedOrder, 1));
    expect(performance.now() - startMs).toBeLessThan(3000);
  });

  test('a paused holder has lost its term when it wakes up, and condemns nobody', async () => {
    await three();
    const holder = world.get(at(reservedOrder, 0));
    await holder.ring.router.invoke(reserved, invocationOf());
    const term = holder.ring.term('default/reserved');
    expect(term).not.toBeNull();
    holder.clock.isFrozen = true; // no RING goes out, so no vote comes back
    const next = world.get(at(reservedOrder, 1));
    let isDouble = false;
    await until(() => {
      isDouble ||= holdersOf('default/reserved').length > 1;
      return next.ring.term('default/reserved') === null && holder.ring.term('default/reserved') === null;
    });
    expect(holder.ring.stats().terms).toBe(0);
    holder.clock.isFrozen = false;
    await until(() => holder.ring.term('default/reserved') !== null);
    expect(holder.ring.term('default/reserved')).not.toBe(term);
    expect(holder.ring.stats().alive).toBe(3);
    expect(isDouble).toBe(false);
  });

  test('one that leaves has its callers served by the others, and comes back as a new life', async () => {
    await three();
    const leaver = world.get(at(plainOrder, 0));
    leaver.ring.leave();
    await until(() => names.every((name) => !world.get(name).ring.mayHold(plain, leaver.ring.gatewayId)));
    expect(textOf(await leaver.ring.router.invoke(plain, invocationOf()))).toBe(at(plainOrder, 1));
    expect(textOf(await world.get(at(plainOrder, 2)).ring.router.invoke(plain, invocationOf()))).toBe(
      at(plainOrder, 1),
    );
    await world.kill(leaver.name);
    const again = await world.start(leaver.name);
    await world.settled(3);
    expect(world.get(at(plainOrder, 1)).ring.mayHold(plain, again.ring.gatewayId)).toBe(true);
    expect(world.get(at(plainOrder, 1)).ring.mayHold(plain, leaver.ring.gatewayId)).toBe(false);
    expect(textOf(await world.get(at(plainOrder, 1)).ring.router.invoke(plain, invocationOf()))).toBe(again.name);
  });

  test('one without the key of the install gets in nowhere', async () => {
    await three();
    const stranger = await world.start('d', { key: makeInstallKey() });
    await until(() => stranger.problems.length > 0 && world.get('a').problems.length > 0);
    expect(stranger.ring.stats().alive).toBe(1);
    expect(world.get('a').ring.stats().alive).toBe(3);
    expect(world.get('a').problems.every((problem) => problem.includes('BadSignature'))).toBe(true);
  });

  test('accounts count what is outstanding at the others', async () => {
    await three();
    await until(() => world.get('a').ring.outstandingElsewhere('000000000000') === 2);
    expect(world.get('a').ring.outstandingElsewhere('111111111111')).toBe(0);
  });
});
