import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import type { AsyncEvent, Progress } from './event.ts';
import { type EventQueue, QueueFull } from './event-queue.ts';
import { defaultLimits, type QueueLimits } from './queue-limits.ts';
import { asyncEvent, leaseAt, leaseOne, line, startMs } from './testing.ts';
import { installMs, storeNames, TestStores } from './testing-stores.ts';

/*
 * What EventQueue promises, played on every store: dead events and bounds.
 */

const day = 24 * 3_600_000;
const failed: Progress = {
  attempts: 1,
  refusals: 0,
  last: { statusCode: 200, functionError: 'Unhandled', executedVersion: '$LATEST', payload: Buffer.from('"no"') },
};
const retryAt = (dueMs: number) => ({ kind: 'retry', dueMs, progress: failed }) as const;
const deadAt = (atMs: number) => ({ kind: 'dead', atMs, condition: 'RetriesExhausted', progress: failed }) as const;

let stores: TestStores;

beforeAll(async () => {
  stores = await TestStores.start();
}, installMs);
afterEach(() => stores.closeQueues());
afterAll(() => stores.stop());

describe.each(storeNames)('the queue in %s', (store) => {
  const start = async (limits: Partial<QueueLimits> = {}): Promise<EventQueue> => (await stores.empty(store, limits))();
  const putDead = async (queue: EventQueue, event: AsyncEvent, atMs: number): Promise<void> => {
    await queue.put(event);
    await queue.settle((await leaseOne(queue, startMs)).lease, deadAt(atMs));
  };
  const ids = async (queue: EventQueue): Promise<readonly string[]> =>
    (await queue.dead(line, { limit: 100 })).events.map(({ event }) => event.id);

  test('keeps a dead event with its last answer', async () => {
    const queue = await start();
    const event = asyncEvent();
    await putDead(queue, event, startMs + 5);
    const dead = { event, progress: failed, state: 'dead', atMs: startMs + 5, condition: 'RetriesExhausted' };
    expect(await queue.find(line, event.id)).toStrictEqual(dead);
    expect(await queue.dead(line, { limit: 10 })).toStrictEqual({ events: [dead] });
    expect(await leaseAt(queue, startMs + day)).toHaveLength(0);
    expect(await queue.lines(startMs)).toEqual([]);
  });

  test('pages through dead events, newest first, also when many died at once and some go meanwhile', async () => {
    const queue = await start();
    const died = ['a:1', 'b:3', 'c:2', 'd:2', 'e:2', 'f:1'];
    for (const entry of died) await putDead(queue, asyncEvent({ id: entry }), startMs + Number(entry.slice(2)));
    const seen: string[][] = [];
    let after: string | undefined;
    do {
      const page = await queue.dead(line, { limit: 2, ...(after === undefined ? {} : { after }) });
      seen.push(page.events.map(({ event }) => event.id));
      after = page.next;
      if (seen.length === 1) await queue.drop(line, 'e:2');
    } while (after !== undefined);
    expect(seen).toEqual([
      ['b:3', 'e:2'],
      ['d:2', 'c:2'],
      ['f:1', 'a:1'],
    ]);
  });

  test('cuts a page of large dead events', async () => {
    const queue = await start();
    for (let i = 0; i < 9; i += 1) await putDead(queue, asyncEvent({ payload: Buffer.alloc(1024 ** 2) }), startMs + i);
    const first = await queue.dead(line, { limit: 100 });
    expect(first.events).toHaveLength(7);
    const second = await queue.dead(line, { limit: 100, after: first.next ?? '' });
    expect(second.events).toHaveLength(2);
    expect(second.next).toBeUndefined();
  });

  test('replays a dead event as a new one', async () => {
    const queue = await start();
    const event = asyncEvent();
    await putDead(queue, event, startMs);
    expect(await queue.replay(line, event.id, startMs + day)).toBe(true);
    expect(await queue.replay(line, event.id, startMs + day)).toBe(false);
    expect(await ids(queue)).toEqual([]);
    const { event: again, progress } = await leaseOne(queue, startMs + day);
    expect(again).toStrictEqual({ ...event, acceptedMs: startMs + day });
    expect(progress).toStrictEqual({ attempts: 0, refusals: 0 });
  });

  test('drops dead and waiting events, but none that runs', async () => {
    const queue = await start();
    const dead = asyncEvent();
    await putDead(queue, dead, startMs);
    const waiting = asyncEvent();
    await queue.put(waiting);
    expect(await queue.drop(line, dead.id)).toBe(true);
    expect(await queue.drop(line, waiting.id)).toBe(true);
    expect(await queue.drop(line, waiting.id)).toBe(false);
    expect(await queue.lines(startMs)).toEqual([]);
    await queue.put(asyncEvent({ id: 'runs' }));
    await leaseOne(queue, startMs);
    expect(await queue.drop(line, 'runs')).toBe(false);
    expect(await queue.find(line, 'runs')).toMatchObject({ state: 'leased' });
  });

  test('removes dead events after their time', async () => {
    const queue = await start({ deadKeptMs: day });
    await putDead(queue, asyncEvent({ id: 'old' }), startMs);
    await putDead(queue, asyncEvent({ id: 'new' }), startMs + 1);
    await queue.lines(startMs + day);
    expect(await ids(queue)).toEqual(['new', 'old']);
    await queue.lines(startMs + day + 60_001);
    expect(await ids(queue)).toEqual([]);
  });

  test('keeps so many dead events of a line, the newest', async () => {
    const queue = await start({ deadPerLine: 2 });
    for (const id of ['a', 'b', 'c', 'd']) await putDead(queue, asyncEvent({ id }), startMs + id.charCodeAt(0));
    expect(await ids(queue)).toEqual(['d', 'c']);
    expect(await queue.find(line, 'a')).toBeUndefined();
  });

  test('tells of dead events that had to give way', async () => {
    const queue = await start({ deadPerLine: 2 });
    const told: unknown[] = [];
    queue.onEvicted((name, events) => told.push([name, events]));
    for (const id of ['a', 'b']) await putDead(queue, asyncEvent({ id }), startMs);
    expect(told).toEqual([]);
    await putDead(queue, asyncEvent({ id: 'c' }), startMs);
    expect(told).toEqual([[line, 1]]);
  });

  test('keeps as many dead events of a line as it may have live ones', () => {
    expect(defaultLimits.deadPerLine).toBeGreaterThanOrEqual(defaultLimits.eventsPerLine);
  });

  test('lets the oldest dead events of all lines make room for new ones', async () => {
    const queue = await start({ bytes: 20_000 });
    const told: unknown[] = [];
    queue.onEvicted((name, events) => told.push([name, events]));
    const other = asyncEvent({ line: 'default/other', payload: Buffer.alloc(1000) });
    await queue.put(other);
    const [leased] = await queue.lease(other.line, { count: 1, nowMs: startMs, leaseMs: 1, maxBytes: 1 });
    if (leased === undefined) throw new Error('nothing is due');
    await queue.settle(leased.lease, deadAt(startMs));
    for (const id of ['a', 'b', 'c']) {
      await putDead(queue, asyncEvent({ id, payload: Buffer.alloc(1000) }), startMs + id.charCodeAt(0));
    }
    expect(await ids(queue)).toEqual(['c', 'b']);
    expect(await queue.find(other.line, other.id)).toBeUndefined();
    expect(told).toEqual([
      [other.line, 1],
      [line, 1],
    ]);
  });

  test('refuses more events in a line than it may hold, until one is done', async () => {
    const queue = await start({ eventsPerLine: 2 });
    const dead = asyncEvent();
    await putDead(queue, dead, startMs);
    await queue.put(asyncEvent());
    await queue.put(asyncEvent());
    await expect(queue.put(asyncEvent())).rejects.toBeInstanceOf(QueueFull);
    await expect(queue.replay(line, dead.id, startMs)).rejects.toBeInstanceOf(QueueFull);
    await queue.put(asyncEvent({ line: 'default/other' }));
    await queue.settle((await leaseOne(queue, startMs)).lease, { kind: 'done' });
    await queue.put(asyncEvent());
  });

  test('gives no line more than half of the bytes, whatever came and went before', async () => {
    const queue = await start({ bytes: 18_000 });
    const large = (over: Partial<AsyncEvent> = {}): AsyncEvent => asyncEvent({ payload: Buffer.alloc(3000), ...over });
    const full = new QueueFull(`the line of ${line} is full`);
    for (let i = 0; i < 3; i += 1) {
      const dead = large();
      await putDead(queue, dead, startMs);
      await queue.put(large({ id: 'first' }));
      await queue.put(large());
      await expect(queue.put(large())).rejects.toEqual(full);
      await expect(queue.replay(line, dead.id, startMs)).rejects.toEqual(full);
      expect(await queue.drop(line, 'first')).toBe(true);
      expect(await queue.replay(line, dead.id, startMs)).toBe(true);
      for (const { lease } of await leaseAt(queue, startMs)) await queue.settle(lease, retryAt(startMs));
      await expect(queue.put(large())).rejects.toEqual(full);
      for (const { lease } of await leaseAt(queue, startMs)) await queue.settle(lease, { kind: 'done' });
    }
    await queue.put(large());
    await queue.put(large());
    await queue.put(large({ line: 'default/other' }));
    await queue.put(large({ line: 'default/other' }));
    await expect(queue.put(large({ line: 'default/third' }))).rejects.toEqual(new QueueFull('the queue is full'));
  });

  test('takes an event that is larger than half of the bytes, alone in its line', async () => {
    const queue = await start({ bytes: 10_000 });
    await queue.put(asyncEvent({ payload: Buffer.alloc(8000) }));
    await expect(queue.put(asyncEvent({ payload: Buffer.alloc(0) }))).rejects.toBeInstanceOf(QueueFull);
  });

  test('refuses more bytes than it may hold, whatever came and went before', async () => {
    const queue = await start({ bytes: 10_000 });
    const event = asyncEvent({ payload: Buffer.alloc(5000) });
    for (let i = 0; i < 5; i += 1) {
      await queue.put(asyncEvent({ payload: Buffer.alloc(5000) }));
      await expect(queue.put(event)).rejects.toBeInstanceOf(QueueFull);
      const { lease } = await leaseOne(queue, startMs);
      await queue.settle(lease, retryAt(startMs));
      await queue.settle((await leaseOne(queue, startMs)).lease, i % 2 === 0 ? { kind: 'done' } : deadAt(startMs));
    }
    await queue.put(event);
    expect(await queue.drop(line, event.id)).toBe(true);
    await queue.put(event);
  });
});
