import { expect, test } from '@jest/globals';

import type { Outcome } from '../dispatch/types.ts';
import { asyncEvent } from './testing.ts';
import { failed, fine, held, ids, runnerWorlds, until } from './testing-runner.ts';

/* What runs at a time, of all functions of one gateway. */

const world = runnerWorlds();

test('no more run at a time than may, and one is there that runs long', async () => {
  const { run, seen, letGo } = held();
  const runner = world().start(run, { limits: { maxRunning: 3 } });
  await world().put(10);
  await until('three run', () => seen.length === 3);
  expect(await world().queue.lines(world().nowMs)).toMatchObject([{ waiting: 7, leased: 3 }]);
  expect(runner.runningCount).toBe(3);
  letGo();
  await until('all are gone', () => world().isGone());
});

test('one slow function leaves room to the others, as soon as there is some', async () => {
  const slow: PromiseWithResolvers<Outcome>[] = [];
  const quick: string[] = [];
  world().start(
    ({ requestId }) => {
      if (!requestId.startsWith('slow')) {
        quick.push(requestId);
        return Promise.resolve(fine);
      }
      const held = Promise.withResolvers<Outcome>();
      slow.push(held);
      return held.promise;
    },
    { limits: { maxRunning: 4 } },
  );
  for (const id of ids(10)) await world().queue.put(asyncEvent({ id: `slow-${id}`, line: 'default/slow' }));
  await until('the slow one has it all', () => slow.length === 4);
  await world().put(10);
  await until('it was turned away', async () => (await world().queue.lines(world().nowMs)).length === 2);
  expect(quick).toEqual([]);
  slow[0]?.resolve(failed);
  await until('all others have run', () => quick.length === 10);
  await until('the slow one has the rest', () => slow.length === 5);
});

test('a backlog of retries is worked off as one of new events: more and more run at a time', async () => {
  await world().put(40);
  let isBroken = true;
  let most = 0;
  const pending: (() => void)[] = [];
  const runner = world().start(async () => {
    if (isBroken) return failed;
    await new Promise<void>((resolve) => pending.push(resolve));
    return fine;
  });
  await until('all wait for their retry', async () => {
    const [state] = await world().queue.lines(world().nowMs);
    return state?.leased === 0 && (state.nextMs ?? 0) >= 60_000;
  });
  isBroken = false;
  world().nowMs = 70_000; // nobody has looked for ten seconds
  await until('all are gone', async () => {
    most = Math.max(most, runner.runningCount);
    for (const go of pending.splice(0, 1)) go();
    return world().isGone();
  });
  expect(most).toBeGreaterThan(4);
});

test('bytes are bounded, however many lines are asked at a time', async () => {
  const { run, seen, letGo } = held();
  const runner = world().start(run, { limits: { maxBytes: 4 * 1024 * 1024 } });
  const payload = Buffer.from(JSON.stringify('x'.repeat(1024 * 1024 - 2)));
  await Promise.all(ids(20).map((id) => world().queue.put(asyncEvent({ id, line: `default/${id}`, payload }))));
  await until('some run', () => seen.length >= 4);
  for (let looks = 0; looks < 10; looks += 1) await world().queue.lines(world().nowMs);
  expect(runner.runningCount).toBe(4);
  letGo();
  await until('all are gone', () => world().isGone());
});
