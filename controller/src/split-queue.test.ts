import { expect, test } from '@jest/globals';
import { SplitQueue } from './split-queue.ts';
import { WorkQueue } from './work-queue.ts';

test('keys that hang hold up their like alone', () => {
  const started: string[] = [];
  const timers: (() => void)[] = [];
  const make = () =>
    new WorkQueue({
      reconcile: (key) => {
        started.push(key);
        return new Promise(() => undefined);
      },
      onError: () => undefined,
      parallel: 1,
      minBackoffMs: 1,
      maxBackoffMs: 1,
      schedule: (_delayMs, action) => {
        timers.push(action);
        return () => undefined;
      },
      random: () => 1,
    });
  const queue = new SplitQueue((key) => key.startsWith('image'), make);
  for (const key of ['image-1', 'image-2', 'zip']) queue.add(key);
  expect(started).toEqual(['image-1', 'zip']);
  expect(queue.depth).toBe(3);
  queue.addSoon('image-3', 500);
  queue.close();
  for (const fire of timers) fire();
  expect(started).toEqual(['image-1', 'zip']);
});
