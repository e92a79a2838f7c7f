import { expect, test } from '@jest/globals';

import { Slots } from './slots.ts';

/** Slots whose time goes on when it is told. */
function slots(atOnce: number, maxWaiting: number) {
  const timers = new Set<() => void>();
  const schedule = (_ms: number, then: () => void) => {
    timers.add(then);
    return () => void timers.delete(then);
  };
  return { timers, taken: new Slots({ atOnce, maxWaiting, waitMs: 1_000, schedule }) };
}

test('so many are in at a time, the others come in in the order of asking', async () => {
  const { taken } = slots(2, 10);
  const steps: string[] = [];
  let inside = 0;
  const work = async (name: string): Promise<void> => {
    const leave = await taken.take();
    inside += 1;
    expect(inside).toBeLessThanOrEqual(2);
    steps.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    leave();
    leave();
  };
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(work));
  expect(steps).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('who finds no room to wait, or waits for too long, is told to come back', async () => {
  const { taken, timers } = slots(1, 1);
  const refused = {
    code: 'TooManyRequestsException',
    status: 429,
    reason: 'CallerRateLimitExceeded',
    retryAfterSeconds: 5,
  };
  const leave = await taken.take();
  const waiting = taken.take();
  await expect(taken.take()).rejects.toMatchObject(refused);
  const [timer] = timers;
  timer?.();
  await expect(waiting).rejects.toMatchObject(refused);
  leave();
  const again = await taken.take();
  const next = taken.take();
  again();
  (await next)();
  expect(timers.size).toBe(1); // the one that has run
});
