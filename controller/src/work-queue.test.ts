import { expect, test } from '@jest/globals';
import { type Requeue, WorkQueue, type WorkQueueOptions } from './work-queue.ts';

/** A queue whose timers fire by hand and whose reconciler is driven by the test. */
function harness(overrides: Partial<WorkQueueOptions> = {}) {
  const runs: { key: string; finish: (requeue?: Requeue) => void; fail: (error: Error) => void }[] = [];
  const timers: { delayMs: number; action: () => void; isCancelled: boolean }[] = [];
  const errors: string[] = [];
  const queue = new WorkQueue({
    reconcile: (key) =>
      new Promise((resolve, reject) => {
        runs.push({ key, finish: (requeue = {}) => resolve(requeue), fail: reject });
      }),
    onError: (key, error, retryInMs) => errors.push(`${key}: ${(error as Error).message} in ${retryInMs}`),
    parallel: 2,
    minBackoffMs: 100,
    maxBackoffMs: 350,
    schedule: (delayMs, action) => {
      const timer = { delayMs, action, isCancelled: false };
      timers.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
    random: () => 1,
    ...overrides,
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { queue, runs, timers, errors, settle, started: () => runs.map((run) => run.key) };
}

test('a key that waits is not queued twice', () => {
  const { queue, started } = harness({ parallel: 1 });
  for (const key of ['a', 'b', 'b', 'b']) queue.add(key);
  expect(started()).toEqual(['a']);
  expect(queue.depth).toBe(2);
});

test('a key never runs twice at once, and runs again when it was added meanwhile', async () => {
  const { queue, runs, started, settle } = harness();
  queue.add('a');
  queue.add('a');
  queue.add('a');
  expect(started()).toEqual(['a']);
  runs[0]?.finish();
  await settle();
  expect(started()).toEqual(['a', 'a']);
});

test('a slow key does not hold the others', async () => {
  const { queue, runs, started, settle } = harness();
  for (const key of ['slow', 'b', 'c']) queue.add(key);
  runs[1]?.finish();
  await settle();
  expect(started()).toEqual(['slow', 'b', 'c']);
});

test('failures back off, doubled and capped, and one success forgets them', async () => {
  const { queue, runs, timers, settle } = harness();
  queue.add('a');
  for (const [attempt, delayMs] of [100, 200, 350, 350].entries()) {
    runs[attempt]?.fail(new Error('no'));
    await settle();
    expect(timers.at(-1)?.delayMs).toBe(delayMs);
    timers.at(-1)?.action();
  }
  runs[4]?.finish();
  await settle();
  queue.add('a');
  runs[5]?.fail(new Error('no'));
  await settle();
  expect(timers.at(-1)?.delayMs).toBe(100);
});

test('a fresh event runs a delayed key at once and calls its timer off', async () => {
  const { queue, runs, timers, started, settle } = harness();
  queue.add('a');
  runs[0]?.finish({ requeueAfterMs: 5_000 });
  await settle();
  queue.add('a');
  expect(started()).toEqual(['a', 'a']);
  expect(timers[0]?.isCancelled).toBe(true);
});

test('after close nothing starts and no timer is left', async () => {
  const { queue, runs, timers, started, settle } = harness();
  queue.add('a');
  queue.add('b');
  runs[0]?.finish({ requeueAfterMs: 1_000 });
  await settle();
  queue.close();
  runs[1]?.finish({ requeueAfterMs: 1_000 });
  await settle();
  queue.add('c');
  expect(started()).toEqual(['a', 'b']);
  expect(timers.every((timer) => timer.isCancelled)).toBe(true);
});
