import { describe, expect, test } from '@jest/globals';

import type { Invocation } from '../dispatch/types.ts';
import { ServiceException, TooManyRequests } from '../errors.ts';
import { QueueUnavailable } from '../queue/event-queue.ts';
import { SqliteQueue } from '../queue/sqlite-queue.ts';
import type { RoutedFunction } from '../registry/routing.ts';
import { routed } from '../testing.ts';
import { asyncEvent } from './testing.ts';
import { failed, fine, held, ids, type Run, runnerWorlds, until } from './testing-runner.ts';

const world = runnerWorlds();

test('every event runs once, as its caller sent it, and is gone', async () => {
  const seen: Invocation[] = [];
  world().start((invocation) => {
    seen.push(invocation);
    return Promise.resolve(fine);
  });
  await world().put(50);
  await until('all are gone', () => world().isGone());
  expect(seen.map(({ requestId }) => requestId).toSorted()).toEqual(ids(50).toSorted());
  expect(seen[0]).toMatchObject({ isAsync: true, tail: false, invokedFunctionArn: asyncEvent().invokedArn });
  expect(seen[0]?.event.toString()).toBe('{"a":1}');
  expect(seen[0]?.traceId).toMatch(/^Root=1-[^;]+;Lineage=[\da-f]{8}:0$/);
});

test('a function error waits for its retry, the same event with the same id', async () => {
  let runs = 0;
  world().start(() => {
    runs += 1;
    return Promise.resolve(runs < 3 ? failed : fine);
  });
  await world().put();
  await until('it waits', async () => (await world().stored())?.progress.attempts === 1);
  expect(await world().stored()).toMatchObject({ state: 'waiting', atMs: 60_000 });
  world().nowMs = 60_000;
  await until('it waits again', async () => (await world().stored())?.progress.attempts === 2);
  expect(await world().stored()).toMatchObject({
    state: 'waiting',
    atMs: 180_000,
    progress: { last: { statusCode: 200 } },
  });
  world().nowMs = 180_000;
  await until('it is gone', () => world().isGone());
  expect(runs).toBe(3);
});

test.each<[reason: string, err: Error, statusCode: number]>([
  ['a throttle', new TooManyRequests('ConcurrentInvocationLimitExceeded'), 429],
  ['a fault of the platform', new ServiceException('the link was lost'), 500],
  ['a bug', new Error('bug'), 500],
])('%s takes no retry', async (_reason, err, statusCode) => {
  world().start(() => Promise.reject(err));
  await world().put();
  await until('it waits', async () => (await world().stored())?.progress.refusals === 1);
  expect(await world().stored()).toMatchObject({ atMs: 1000, progress: { attempts: 0, last: { statusCode } } });
});

describe('what may not run never does', () => {
  const never: Run = () => Promise.reject(new Error('it has run'));

  test.each<[condition: string, fn: RoutedFunction | undefined, event: object, atMs: number]>([
    ['EventAgeExceeded', routed(), {}, 21_600_000],
    ['ZeroReservedConcurrency', routed({ reserved: 0 }), {}, 0],
    ['RecursiveInvocationDropped', routed(), { traceId: `Root=1-a-b;Lineage=${routed().loops.id}:15` }, 0],
  ])('%s', async (condition, fn, event, atMs) => {
    world().nowMs = atMs;
    await world().queue.put(asyncEvent({ id: 'event-0', ...event }));
    world().start(never, { fn });
    await until('it is dead', async () => (await world().stored())?.state === 'dead');
    expect(await world().stored()).toMatchObject({ condition, progress: { attempts: 0 } });
  });
});

test.each<[reason: string, fn: RoutedFunction | undefined, event: object]>([
  ['the function', undefined, {}],
  ['the version', routed(), { qualifier: '7' }],
])('an old event waits for %s for half a minute, and is dead then', async (_reason, fn, event) => {
  world().nowMs = 40_000;
  await world().queue.put(asyncEvent({ id: 'event-0', ...event }));
  world().start(() => Promise.reject(new Error('it has run')), { fn });
  for (const [looks, seconds] of [1, 2, 4, 8, 16].entries()) {
    const want = {
      state: 'waiting',
      atMs: world().nowMs + seconds * 1000,
      progress: { attempts: 0, missing: looks + 1 },
    };
    await until('it waits', async () => (await world().stored())?.progress.missing === looks + 1);
    expect(await world().stored()).toMatchObject(want);
    world().nowMs += seconds * 1000;
  }
  await until('it is dead', async () => (await world().stored())?.state === 'dead');
  expect(await world().stored()).toMatchObject({ condition: 'FunctionNotFound', atMs: 71_000 });
});

test('what the gateway does not know, while it hears of nothing, is not taken for gone', async () => {
  world().start(() => Promise.reject(new Error('it has run')), { fn: undefined, hearsOfFunctions: () => false });
  await world().put();
  await until('it waits', async () => (await world().stored())?.progress.refusals === 1);
  expect((await world().stored())?.progress).not.toHaveProperty('missing');
});

test('what became of an event is written as soon as the store takes it, also when the lease is over', async () => {
  let isAway = true;
  world().queue.settle = async (lease, settlement) => {
    world().nowMs = 40_000;
    if (!isAway) return SqliteQueue.prototype.settle.call(world().queue, lease, settlement);
    isAway = false;
    throw new QueueUnavailable('it is away');
  };
  world().start(() => Promise.resolve(fine), { isMine: () => world().nowMs === 0 });
  await world().put();
  await until('it is gone', () => world().isGone());
  expect(world().settled).toEqual(['done']);
});

test('what became of an event that others have taken meanwhile is not counted', async () => {
  world().queue.settle = () => Promise.resolve(false);
  const runner = world().start(() => Promise.resolve(fine), { isMine: () => world().nowMs === 0 });
  await world().put();
  await until('it was run', async () => (await world().stored())?.state === 'leased');
  await runner.whenIdle();
  expect(world().settled).toEqual([]);
});

test('leases of what runs are held; those of who died run out, and another gateway runs the event', async () => {
  await world().put();
  const { run, seen, letGo } = held();
  const first = world().start(run);
  await until('it runs', () => seen.length === 1);
  for (world().nowMs = 0; world().nowMs < 100_000; world().nowMs += 15_000) {
    await until('the lease is held', async () => ((await world().stored())?.atMs ?? 0) >= world().nowMs + 20_000);
  }
  expect(seen).toHaveLength(1);
  first.end(); // as a process that died: nothing is renewed any more
  const other = held();
  world().start(other.run);
  world().nowMs += 30_000;
  await until('it runs elsewhere', () => other.seen.length === 1);
  letGo();
  await first.whenIdle();
  expect((await world().stored())?.state).toBe('leased'); // what the first one says is not heard any more
  other.letGo();
  await until('it is gone', () => world().isGone());
});

test('after stop nothing is begun, and what runs is settled', async () => {
  const { run, seen, letGo } = held();
  const runner = world().start(run, { limits: { maxRunning: 1 } });
  await world().put(2);
  await until('one runs', () => seen.length === 1);
  runner.stop();
  letGo();
  await runner.whenIdle();
  expect(seen).toHaveLength(1);
  expect(await world().queue.lines(world().nowMs)).toMatchObject([{ waiting: 1, leased: 0 }]);
});

test('lines of other gateways are left alone', async () => {
  let asked = 0;
  world().start(() => Promise.resolve(fine), {
    isMine: () => {
      asked += 1;
      return false;
    },
  });
  await world().put(3);
  await until('it was looked at', () => asked > 3);
  expect(await world().queue.lines(world().nowMs)).toMatchObject([{ waiting: 3, leased: 0 }]);
});
