import { expect, test } from '@jest/globals';

import { RetryQueue, type RetryQueueDeps } from './retry-queue.ts';

function rig(over: Partial<RetryQueueDeps> = {}) {
  const timers: { ms: number; then: () => void }[] = [];
  const problems: [key: string, isDropped: boolean][] = [];
  const queue = new RetryQueue({
    concurrency: 2,
    limit: 100,
    firstPauseMs: 100,
    maxPauseMs: 350,
    isWorthRetrying: (err) => err instanceof Error && err.message === 'away',
    onProblem: (key, _err, isDropped) => void problems.push([key, isDropped]),
    random: () => 1,
    schedule: (ms, then) => {
      const timer = { ms, then };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    ...over,
  });
  const fire = (): number => {
    const timer = timers.shift();
    timer?.then();
    return timer?.ms ?? -1;
  };
  return { queue, timers, problems, fire };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a job that fails is tried again after longer and longer pauses, until it succeeds', async () => {
  const { queue, fire, problems } = rig();
  let left = 4;
  queue.put('a', async () => {
    left -= 1;
    if (left > 0) throw new Error('away');
  });
  const pauses = [];
  for (let n = 0; n < 3; n += 1) {
    await turn();
    pauses.push(fire());
  }
  await turn();
  expect(pauses).toEqual([100, 200, 350]);
  expect([left, queue.size, problems.length]).toEqual([0, 0, 3]);
});

test('a failure that will not pass is dropped and said', async () => {
  const { queue, timers, problems } = rig();
  queue.put('a', () => Promise.reject(new Error('invalid')));
  await turn();
  expect([queue.size, timers.length, problems]).toEqual([0, 0, [['a', true]]]);
});

test('of one key the newest job wins; what comes while one runs runs after it', async () => {
  const { queue } = rig({ concurrency: 1 });
  const ran: string[] = [];
  const gate = Promise.withResolvers<void>();
  queue.put('other', () => gate.promise);
  queue.put('a', async () => void ran.push('old'));
  queue.put('a', async () => void ran.push('new'));
  queue.put('other', async () => void ran.push('again'));
  gate.resolve();
  await turn();
  expect(ran.sort()).toEqual(['again', 'new']);
  expect(queue.size).toBe(0);
});

test('no more than `concurrency` run at once', async () => {
  const { queue } = rig();
  let running = 0;
  let most = 0;
  for (let n = 0; n < 9; n += 1) {
    queue.put(String(n), async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    });
  }
  for (let n = 0; n < 12; n += 1) await turn();
  expect([most, queue.size]).toEqual([2, 0]);
});

test('a full queue drops its oldest waiting job', async () => {
  const { queue, problems } = rig({ limit: 3, concurrency: 1 });
  const gate = Promise.withResolvers<void>();
  const ran: string[] = [];
  queue.put('running', () => gate.promise);
  for (const key of ['a', 'b', 'c']) queue.put(key, async () => void ran.push(key));
  gate.resolve();
  for (let n = 0; n < 5; n += 1) await turn();
  expect([ran, problems]).toEqual([['b', 'c'], [['a', true]]]);
});

test('closed, it forgets what waits and takes nothing', async () => {
  const { queue, timers } = rig();
  queue.put('a', () => Promise.reject(new Error('away')));
  await turn();
  queue.close();
  queue.put('b', () => Promise.reject(new Error('ran')));
  expect([queue.size, timers.length]).toEqual([0, 0]);
});
