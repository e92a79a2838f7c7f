import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { until as untilHolds } from '../dispatch/testing-agent.ts';
import type { Invocation, Outcome } from '../dispatch/types.ts';
import { ServiceException, TooManyRequests } from '../errors.ts';
import { QueueUnavailable } from '../queue/event-queue.ts';
import { defaultLimits } from '../queue/queue-limits.ts';
import { SqliteQueue } from '../queue/sqlite-queue.ts';
import type { RoutedFunction } from '../registry/routing.ts';
import { answered, routed } from '../testing.ts';
import { Runner } from './runner.ts';
import type { RunnerLimits } from './runner-options.ts';
import { asyncEvent, asyncSettings } from './testing.ts';

/* Runners on a real queue. Their clock stands still until a test moves it; sweeps come in real time. */

const line = 'default/hello';
const ids = (count: number): readonly string[] => [...Array(count).keys()].map((n) => `event-${n}`);
const failed: Outcome = { ...answered(Buffer.from('{"errorMessage":"on purpose"}')), kind: 'error' };
const limits: RunnerLimits = { maxRunning: 100, maxBytes: 1_000_000, leaseMs: 30_000, sweepMs: 5 };

let folder: string;
let queue: SqliteQueue;
let runners: Runner[];
let nowMs: number;
/** What became of events, as metrics hear it. */
let settled: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-runner-'));
  queue = new SqliteQueue(join(folder, 'events.db'), defaultLimits);
  runners = [];
  nowMs = 0;
  settled = [];
});
afterEach(async () => {
  for (const runner of runners) runner.end();
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  untilHolds(holds, () => `not so within ten seconds: ${what}`);

type Run = (invocation: Invocation) => Promise<Outcome>;

function start(
  run: Run,
  over: {
    limits?: Partial<RunnerLimits>;
    fn?: RoutedFunction | undefined;
    isMine?: () => boolean;
    settings?: ReturnType<typeof asyncSettings>;
  } = {},
): Runner {
  const fn = 'fn' in over ? over.fn : routed();
  const runner = new Runner({
    queue,
    functions: { byObject: () => fn },
    router: { invoke: (_target, invocation) => run(invocation) },
    random: () => 0,
    onRefused: () => undefined,
    isReady: () => true,
    isMine: over.isMine ?? (() => true),
    settingsOf: () => over.settings ?? asyncSettings(),
    deliver: () => Promise.resolve([]),
    observer: { begun: () => undefined, settled: (_line, { kind }) => settled.push(kind) },
    now: () => nowMs,
    after: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    onProblem: () => undefined,
    limits: { ...limits, ...over.limits },
  });
  runners.push(runner);
  runner.start();
  return runner;
}

const put = (count = 1): Promise<unknown> => Promise.all(ids(count).map((id) => queue.put(asyncEvent({ id }))));
const stored = (id = 'event-0') => queue.find(line, id);
const isGone = async (): Promise<boolean> => (await queue.lines(nowMs)).length === 0;

/** A function that runs until it is let go. */
function held() {
  const over = Promise.withResolvers<Outcome>();
  const seen: string[] = [];
  const run: Run = ({ requestId }) => {
    seen.push(requestId);
    return over.promise;
  };
  return { run, seen, letGo: () => over.resolve(answered(Buffer.from('{}'))) };
}

test('every event runs once, as its caller sent it, and is gone', async () => {
  const seen: Invocation[] = [];
  start((invocation) => {
    seen.push(invocation);
    return Promise.resolve(answered(Buffer.from('{}')));
  });
  await put(50);
  await until('all are gone', isGone);
  expect(seen.map(({ requestId }) => requestId).toSorted()).toEqual(ids(50).toSorted());
  expect(seen[0]).toMatchObject({ isAsync: true, tail: false, invokedFunctionArn: asyncEvent().invokedArn });
  expect(seen[0]?.event.toString()).toBe('{"a":1}');
  expect(seen[0]?.traceId).toMatch(/^Root=1-[^;]+;Lineage=[\da-f]{8}:0$/);
});

test('a function error waits for its retry, the same event with the same id', async () => {
  let runs = 0;
  start(() => {
    runs += 1;
    return Promise.resolve(runs < 3 ? failed : answered(Buffer.from('{}')));
  });
  await put();
  await until('it waits', async () => (await stored())?.progress.attempts === 1);
  expect(await stored()).toMatchObject({ state: 'waiting', atMs: 60_000 });
  nowMs = 60_000;
  await until('it waits again', async () => (await stored())?.progress.attempts === 2);
  expect(await stored()).toMatchObject({ state: 'waiting', atMs: 180_000, progress: { last: { statusCode: 200 } } });
  nowMs = 180_000;
  await until('it is gone', isGone);
  expect(runs).toBe(3);
});

test.each<[reason: string, err: Error, statusCode: number]>([
  ['a throttle', new TooManyRequests('ConcurrentInvocationLimitExceeded'), 429],
  ['a fault of the platform', new ServiceException('the link was lost'), 500],
  ['a bug', new Error('bug'), 500],
])('%s takes no retry', async (_reason, err, statusCode) => {
  start(() => Promise.reject(err));
  await put();
  await until('it waits', async () => (await stored())?.progress.refusals === 1);
  expect(await stored()).toMatchObject({ atMs: 1000, progress: { attempts: 0, last: { statusCode } } });
});

describe('what may not run never does', () => {
  const never: Run = () => Promise.reject(new Error('it has run'));

  test.each<[condition: string, fn: RoutedFunction | undefined, event: object, atMs: number]>([
    ['EventAgeExceeded', routed(), {}, 21_600_000],
    ['ZeroReservedConcurrency', routed({ reserved: 0 }), {}, 0],
    ['RecursiveInvocationDropped', routed(), { traceId: `Root=1-a-b;Lineage=${routed().loops.id}:15` }, 0],
  ])('%s', async (condition, fn, event, atMs) => {
    nowMs = atMs;
    await queue.put(asyncEvent({ id: 'event-0', ...event }));
    start(never, { fn });
    await until('it is dead', async () => (await stored())?.state === 'dead');
    expect(await stored()).toMatchObject({ condition, progress: { attempts: 0 } });
  });
});

test.each<[reason: string, fn: RoutedFunction | undefined, event: object]>([
  ['the function', undefined, {}],
  ['the version', routed(), { qualifier: '7' }],
])('an old event waits for %s for half a minute, and is dead then', async (_reason, fn, event) => {
  nowMs = 40_000;
  await queue.put(asyncEvent({ id: 'event-0', ...event }));
  start(() => Promise.reject(new Error('it has run')), { fn });
  for (const [looks, seconds] of [1, 2, 4, 8, 16].entries()) {
    const want = { state: 'waiting', atMs: nowMs + seconds * 1000, progress: { attempts: 0, missing: looks + 1 } };
    await until('it waits', async () => (await stored())?.progress.missing === looks + 1);
    expect(await stored()).toMatchObject(want);
    nowMs += seconds * 1000;
  }
  await until('it is dead', async () => (await stored())?.state === 'dead');
  expect(await stored()).toMatchObject({ condition: 'FunctionNotFound', atMs: 71_000 });
});

test('no more run at a time than may, and one is there that runs long', async () => {
  const { run, seen, letGo } = held();
  const runner = start(run, { limits: { maxRunning: 3 } });
  await put(10);
  await until('three run', () => seen.length === 3);
  expect(await queue.lines(nowMs)).toMatchObject([{ waiting: 7, leased: 3 }]);
  expect(runner.runningCount).toBe(3);
  letGo();
  await until('all are gone', isGone);
});

test('one slow function leaves room to the others, as soon as there is some', async () => {
  const slow: PromiseWithResolvers<Outcome>[] = [];
  const quick: string[] = [];
  start(
    ({ requestId }) => {
      if (!requestId.startsWith('slow')) {
        quick.push(requestId);
        return Promise.resolve(answered(Buffer.from('{}')));
      }
      const held = Promise.withResolvers<Outcome>();
      slow.push(held);
      return held.promise;
    },
    { limits: { maxRunning: 4 } },
  );
  for (const id of ids(10)) await queue.put(asyncEvent({ id: `slow-${id}`, line: 'default/slow' }));
  await until('the slow one has it all', () => slow.length === 4);
  await put(10);
  await until('it was turned away', async () => (await queue.lines(nowMs)).length === 2);
  expect(quick).toEqual([]);
  slow[0]?.resolve(failed);
  await until('all others have run', () => quick.length === 10);
  await until('the slow one has the rest', () => slow.length === 5);
});

test('bytes are bounded, however many lines are asked at a time', async () => {
  const { run, seen, letGo } = held();
  const runner = start(run, { limits: { maxBytes: 4 * 1024 * 1024 } });
  const payload = Buffer.from(JSON.stringify('x'.repeat(1024 * 1024 - 2)));
  await Promise.all(ids(20).map((id) => queue.put(asyncEvent({ id, line: `default/${id}`, payload }))));
  await until('some run', () => seen.length >= 4);
  for (let looks = 0; looks < 10; looks += 1) await queue.lines(nowMs);
  expect(runner.runningCount).toBe(4);
  letGo();
  await until('all are gone', isGone);
});

test('what became of an event is written as soon as the store takes it, also when the lease is over', async () => {
  let isAway = true;
  queue.settle = async (lease, settlement) => {
    nowMs = 40_000;
    if (!isAway) return SqliteQueue.prototype.settle.call(queue, lease, settlement);
    isAway = false;
    throw new QueueUnavailable('it is away');
  };
  start(() => Promise.resolve(answered(Buffer.from('{}'))), { isMine: () => nowMs === 0 });
  await put();
  await until('it is gone', isGone);
  expect(settled).toEqual(['done']);
});

test('what became of an event that others have taken meanwhile is not counted', async () => {
  queue.settle = () => Promise.resolve(false);
  const runner = start(() => Promise.resolve(answered(Buffer.from('{}'))), { isMine: () => nowMs === 0 });
  await put();
  await until('it was run', async () => (await stored())?.state === 'leased');
  await runner.whenIdle();
  expect(settled).toEqual([]);
});

test('leases of what runs are held; those of who died run out, and another gateway runs the event', async () => {
  await put();
  const { run, seen, letGo } = held();
  const first = start(run);
  await until('it runs', () => seen.length === 1);
  for (nowMs = 0; nowMs < 100_000; nowMs += 15_000) {
    await until('the lease is held', async () => ((await stored())?.atMs ?? 0) >= nowMs + 20_000);
  }
  expect(seen).toHaveLength(1);
  first.end(); // as a process that died: nothing is renewed any more
  const other = held();
  start(other.run);
  nowMs += 30_000;
  await until('it runs elsewhere', () => other.seen.length === 1);
  letGo();
  await first.whenIdle();
  expect((await stored())?.state).toBe('leased'); // what the first one says is not heard any more
  other.letGo();
  await until('it is gone', isGone);
});

test('after stop nothing is begun, and what runs is settled', async () => {
  const { run, seen, letGo } = held();
  const runner = start(run, { limits: { maxRunning: 1 } });
  await put(2);
  await until('one runs', () => seen.length === 1);
  runner.stop();
  letGo();
  await runner.whenIdle();
  expect(seen).toHaveLength(1);
  expect(await queue.lines(nowMs)).toMatchObject([{ waiting: 1, leased: 0 }]);
});

test('lines of other gateways are left alone', async () => {
  let asked = 0;
  start(() => Promise.resolve(answered(Buffer.from('{}'))), {
    isMine: () => {
      asked += 1;
      return false;
    },
  });
  await put(3);
  await until('it was looked at', () => asked > 3);
  expect(await queue.lines(nowMs)).toMatchObject([{ waiting: 3, leased: 0 }]);
});
