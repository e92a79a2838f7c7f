import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import type { EventQueue } from './event-queue.ts';
import type { ScheduleMarks } from './schedule-marks.ts';
import { asyncEvent, leaseAt, leaseOne, startMs } from './testing.ts';
import { installMs, storeNames, TestStores } from './testing-stores.ts';

/*
 * What ScheduleMarks promises, played on every store.
 */

let stores: TestStores;

beforeAll(async () => {
  stores = await TestStores.start();
}, installMs);
afterEach(() => stores.closeQueues());
afterAll(() => stores.stop());

const id = '0c1c7f9e-0d5a-4b0e-8d5c-3f6a3c1d2e4f';

describe.each(storeNames)('marks of schedules in %s', (store) => {
  const start = async (over = {}): Promise<EventQueue & ScheduleMarks> => (await stores.empty(store, over))();

  test('a mark is moved only from where it is', async () => {
    const queue = await start();
    expect(await queue.marks([id, 'other'])).toEqual(new Map());
    expect(await queue.mark({ id, before: 'a', after: 'b' })).toBe(false);
    expect(await queue.mark({ id, before: undefined, after: 'a' })).toBe(true);
    expect(await queue.mark({ id, before: undefined, after: 'b' })).toBe(false);
    expect(await queue.mark({ id, before: 'a', after: 'b' })).toBe(true);
    expect(await queue.marks(['other', id])).toEqual(new Map([[id, 'b']]));
  });

  test('of twenty gateways that fire at once one does', async () => {
    const connect = await stores.empty(store);
    const gateways = Array.from({ length: 20 }, connect);
    const event = asyncEvent();
    const fire = (gateway: ScheduleMarks) => gateway.fire(event, { id, before: undefined, after: 'fired' });
    const fired = await Promise.all(gateways.map(fire));
    expect(fired.filter(Boolean)).toHaveLength(1);
    const [queue] = gateways;
    expect(await queue?.marks([id])).toEqual(new Map([[id, 'fired']]));
    expect(queue === undefined ? [] : await leaseAt(queue, startMs)).toHaveLength(1);
  });

  test('a firing that has run is not fired again', async () => {
    const queue = await start();
    const event = asyncEvent();
    expect(await queue.fire(event, { id, before: undefined, after: 'fired' })).toBe(true);
    expect(await queue.settle((await leaseOne(queue, startMs)).lease, { kind: 'done' })).toBe(true);
    expect(await queue.fire(event, { id, before: undefined, after: 'fired' })).toBe(false);
    expect(await leaseAt(queue, startMs)).toEqual([]);
  });

  test('a full queue fires nothing and moves no mark', async () => {
    const queue = await start({ eventsPerLine: 1 });
    await queue.put(asyncEvent());
    const change = { id, before: undefined, after: 'fired' };
    await expect(queue.fire(asyncEvent(), change)).rejects.toMatchObject({ name: 'QueueFull' });
    expect(await queue.marks([id])).toEqual(new Map());
    await queue.settle((await leaseOne(queue, startMs)).lease, { kind: 'done' });
    expect(await queue.fire(asyncEvent(), change)).toBe(true);
  });

  test('tells of what it fired', async () => {
    const queue = await start();
    const told = Promise.withResolvers<string>();
    queue.onDue(told.resolve);
    // a hint that comes before Redis has heard of the listener is lost: the next one is not
    let before: string | undefined;
    for (let n = 0; ; n += 1) {
      const event = asyncEvent({ line: `default/f${n}` });
      await queue.fire(event, { id, before, after: `${n}` });
      before = `${n}`;
      const line = await Promise.race([told.promise, new Promise<null>((done) => setTimeout(done, 100, null))]);
      if (line !== null) return expect(line).toMatch(/^default\/f/);
    }
  });

  test('marks of schedules that are gone are removed', async () => {
    const queue = await start();
    for (const name of ['a', 'b', 'c']) await queue.mark({ id: name, before: undefined, after: name });
    await queue.unmark(['a', 'c', 'unknown']);
    await queue.unmark([]);
    expect(await queue.markedIds()).toEqual(['b']);
    expect(await queue.marks([])).toEqual(new Map());
  });
});
