import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../testing.ts';
import type { AsyncEvent, Progress } from './event.ts';
import { type EventQueue, QueueFull, QueueUnavailable } from './event-queue.ts';
import { defaultLimits, type QueueLimits } from './queue-limits.ts';
import { RedisQueue } from './redis-queue.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { asyncEvent, leaseAt, leaseOne, line, startMs } from './testing.ts';
import { TestRedis } from './testing-redis.ts';

/*
 * What EventQueue promises, played on every store.
 */

const day = 24 * 3_600_000;
const failed: Progress = {
  attempts: 1,
  refusals: 0,
  last: { statusCode: 200, functionError: 'Unhandled', executedVersion: '$LATEST', payload: Buffer.from('"no"') },
};
const retryAt = (dueMs: number) => ({ kind: 'retry', dueMs, progress: failed }) as const;
const deadAt = (atMs: number) => ({ kind: 'dead', atMs, condition: 'RetriesExhausted', progress: failed }) as const;

let redis: TestRedis;
let folder: string;
let files = 0;
const open: EventQueue[] = [];

beforeAll(async () => {
  redis = await TestRedis.start();
  folder = await mkdtemp(join(tmpdir(), 'kappa-queue-'));
});
afterEach(async () => {
  for (const queue of open.splice(0)) await queue.close();
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

const onProblem = (): void => {};
const stores = {
  redis: async (limits: QueueLimits): Promise<() => EventQueue> => {
    await redis.command('FLUSHALL');
    return () => new RedisQueue({ url: redis.url, password: '', onProblem }, limits);
  },
  sqlite: async (limits: QueueLimits): Promise<() => EventQueue> => {
    files += 1;
    return () => new SqliteQueue(join(folder, `${files}/events.db`), limits);
  },
};

describe.each(['redis', 'sqlite'] as const)('the queue in %s', (store) => {
  /** An empty queue. */
  const start = async (limits: Partial<QueueLimits> = {}): Promise<EventQueue> => (await startTwo(limits))[0];
  /** The same queue as two gateways have it. */
  const startTwo = async (limits: Partial<QueueLimits> = {}): Promise<readonly [EventQueue, EventQueue]> => {
    const connect = await stores[store]({ ...defaultLimits, ...limits });
    const both = [connect(), connect()] as const;
    open.push(...both);
    return both;
  };
  const putDead = async (queue: EventQueue, event: AsyncEvent, atMs: number): Promise<void> => {
    await queue.put(event);
    await queue.settle((await leaseOne(queue, startMs)).lease, deadAt(atMs));
  };
  const ids = async (queue: EventQueue): Promise<readonly string[]> =>
    (await queue.dead(line, { limit: 100 })).events.map(({ event }) => event.id);

  test('gives an event back as it was put, byte for byte', async () => {
    const queue = await start();
    const event = asyncEvent({
      qualifier: 'live',
      traceId: 'Root=1-abc;Lineage=1:2:3',
      payload: Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    });
    await queue.put(event);
    const { event: leased, progress, leasedUntilMs } = await leaseOne(queue, startMs);
    expect(leased).toStrictEqual(event);
    expect(progress).toStrictEqual({ attempts: 0, refusals: 0 });
    expect(leasedUntilMs).toBe(startMs + 60_000);
  });

  test('keeps a payload of 1 MiB, and an empty one', async () => {
    const queue = await start();
    const large = asyncEvent({ payload: Buffer.alloc(1024 ** 2, 'x') });
    const empty = asyncEvent({ payload: Buffer.alloc(0), acceptedMs: startMs + 1 });
    await queue.put(large);
    await queue.put(empty);
    expect((await queue.find(line, large.id))?.event).toStrictEqual(large);
    expect((await queue.find(line, empty.id))?.event).toStrictEqual(empty);
  });

  test('puts an event once, however often it is sent', async () => {
    const queue = await start();
    const event = asyncEvent();
    await queue.put(event);
    await queue.put(event);
    expect(await leaseAt(queue, startMs)).toHaveLength(1);
    await queue.put(event);
    expect(await leaseAt(queue, startMs)).toHaveLength(0);
  });

  test('leases what is due longest first, no more than asked for, and no event twice', async () => {
    const [one, two] = await startTwo();
    for (const [id, acceptedMs] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
      ['later', 100],
    ] as const) {
      await one.put(asyncEvent({ id, acceptedMs: startMs + acceptedMs }));
    }
    const first = await leaseAt(one, startMs + 50, 2);
    const second = await leaseAt(two, startMs + 50, 2);
    expect(first.map(({ event }) => event.id)).toEqual(['a', 'b']);
    expect(second.map(({ event }) => event.id)).toEqual(['c']);
  });

  test('leases no more bytes than asked for, but one event at least', async () => {
    const queue = await start();
    for (let i = 0; i < 4; i += 1) await queue.put(asyncEvent({ payload: Buffer.alloc(100), acceptedMs: startMs + i }));
    const take = async (maxBytes: number): Promise<number> =>
      (await queue.lease(line, { count: 10, nowMs: startMs + 9, leaseMs: 1000, maxBytes })).length;
    expect(await take(250)).toBe(2);
    expect(await take(1)).toBe(1);
  });

  test('keeps lines apart', async () => {
    const queue = await start();
    await queue.put(asyncEvent({ line: 'other/hello' }));
    expect(await leaseAt(queue, startMs)).toHaveLength(0);
    expect((await queue.lines(startMs)).map((state) => state.line)).toEqual(['other/hello']);
  });

  test('forgets an event that is done', async () => {
    const queue = await start();
    await queue.put(asyncEvent());
    const { lease, event } = await leaseOne(queue, startMs);
    expect(await queue.settle(lease, { kind: 'done' })).toBe(true);
    expect(await queue.find(line, event.id)).toBeUndefined();
    expect(await queue.lines(startMs)).toEqual([]);
    expect(await queue.settle(lease, { kind: 'done' })).toBe(false);
  });

  test('gives an event again when it is due, with what is known of it', async () => {
    const queue = await start();
    await queue.put(asyncEvent());
    const { lease } = await leaseOne(queue, startMs);
    expect(await queue.settle(lease, retryAt(startMs + 60_000))).toBe(true);
    expect(await leaseAt(queue, startMs + 59_999)).toHaveLength(0);
    expect((await leaseOne(queue, startMs + 60_000)).progress).toStrictEqual(failed);
  });

  test('keeps a final outcome that has still to be delivered', async () => {
    const queue = await start();
    const progress: Progress = {
      attempts: 3,
      refusals: 0,
      last: { statusCode: 429, payload: Buffer.alloc(0), payloadCut: true },
      delivery: { condition: 'EventAgeExceeded', decidedMs: startMs, failures: 2, told: ['arn:a', 'arn:b'] },
    };
    await queue.put(asyncEvent());
    await queue.settle((await leaseOne(queue, startMs)).lease, { kind: 'retry', dueMs: startMs, progress });
    expect((await leaseOne(queue, startMs)).progress).toStrictEqual(progress);
    const { lease } = await leaseOne(queue, startMs + 60_000);
    await queue.settle(lease, { kind: 'retry', dueMs: startMs, progress: { attempts: 0, refusals: 1 } });
    expect((await leaseOne(queue, startMs + 60_000)).progress).toStrictEqual({ attempts: 0, refusals: 1 });
  });

  test('gives an event to another when its lease ran out, and refuses the late one', async () => {
    const [late, other] = await startTwo();
    await late.put(asyncEvent());
    const { lease } = await leaseOne(late, startMs);
    expect(await leaseAt(other, startMs + 59_999)).toHaveLength(0);
    const taken = await leaseOne(other, startMs + 60_000);
    expect(taken.lease.token).not.toBe(lease.token);
    expect(await late.settle(lease, { kind: 'done' })).toBe(false);
    expect(await late.settle(lease, retryAt(startMs))).toBe(false);
    expect(await late.settle(lease, deadAt(startMs))).toBe(false);
    expect(await late.renew(lease, startMs + 900_000)).toBe(false);
    expect(await other.find(line, lease.id)).toMatchObject({ state: 'leased', atMs: startMs + 120_000 });
    expect(await other.settle(taken.lease, { kind: 'done' })).toBe(true);
  });

  test('holds a lease that is renewed', async () => {
    const queue = await start();
    await queue.put(asyncEvent());
    const { lease } = await leaseOne(queue, startMs);
    expect(await queue.renew(lease, startMs + 90_000)).toBe(true);
    expect(await leaseAt(queue, startMs + 89_999)).toHaveLength(0);
    expect(await queue.settle(lease, { kind: 'done' })).toBe(true);
  });

  test('tells of lines: how many wait and run, when something is next, and the oldest', async () => {
    const queue = await start();
    for (const acceptedMs of [startMs, startMs + 1, startMs + 2]) await queue.put(asyncEvent({ acceptedMs }));
    const { lease } = await leaseOne(queue, startMs);
    const state = { line, waiting: 2, leased: 1, nextMs: startMs + 1, oldestMs: startMs };
    expect(await queue.lines(startMs)).toEqual([state]);
    await leaseAt(queue, startMs + 5);
    expect(await queue.lines(startMs + 5)).toEqual([{ ...state, waiting: 0, leased: 3, nextMs: startMs + 60_000 }]);
    expect(await queue.lines(startMs + 60_000)).toEqual([
      { ...state, waiting: 1, leased: 2, nextMs: startMs + 60_000 },
    ]);
    await queue.settle(lease, deadAt(startMs));
    expect(await queue.lines(startMs + 5)).toMatchObject([{ leased: 2, oldestMs: startMs + 1 }]);
  });

  test('tells of many lines', async () => {
    const queue = await start();
    const names = Array.from({ length: 450 }, (_, i) => `default/f${i}`);
    await Promise.all(names.map((name) => queue.put(asyncEvent({ line: name }))));
    expect((await queue.lines(startMs)).map((state) => state.line).sort()).toEqual(names.sort());
  });

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

  test('lets the oldest dead events of all lines make room for new ones', async () => {
    const queue = await start({ bytes: 16_000 });
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

  test('tells of an event that came, at the gateway it came to', async () => {
    const queue = await start();
    const told: string[] = [];
    queue.onDue((name) => told.push(name));
    // A hint may be lost, as long as the listener is not connected.
    await until(async () => {
      await queue.put(asyncEvent());
      for (const { lease } of await leaseAt(queue, startMs)) await queue.settle(lease, { kind: 'done' });
      return told.length > 0;
    });
    expect(told[0]).toBe(line);
  });

  test('keeps everything when it is closed and opened again', async () => {
    const connect = await stores[store](defaultLimits);
    const before = connect();
    await before.put(asyncEvent({ id: 'kept' }));
    await before.close();
    await expect(before.put(asyncEvent())).rejects.toBeInstanceOf(QueueUnavailable);
    const after = connect();
    open.push(after);
    expect((await leaseOne(after, startMs)).event.id).toBe('kept');
  });
});
