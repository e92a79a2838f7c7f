import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../testing.ts';
import type { Progress } from './event.ts';
import { type EventQueue, QueueUnavailable } from './event-queue.ts';
import { asyncEvent, leaseAt, leaseOne, line, startMs } from './testing.ts';
import { installMs, storeNames, TestStores } from './testing-stores.ts';

/*
 * What EventQueue promises, played on every store: lines, leases and settlements.
 */

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
  const start = async (): Promise<EventQueue> => (await stores.empty(store))();
  const startTwo = async (): Promise<readonly [EventQueue, EventQueue]> => {
    const connect = await stores.empty(store);
    return [connect(), connect()];
  };

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

  test('tells since when a leased event was due', async () => {
    const [queue, other] = await startTwo();
    await queue.put(asyncEvent());
    const first = await leaseOne(queue, startMs + 500);
    expect(first.dueMs).toBe(startMs);
    await queue.settle(first.lease, retryAt(startMs + 60_000));
    expect((await leaseOne(queue, startMs + 70_000)).dueMs).toBe(startMs + 60_000);
    expect((await leaseOne(other, startMs + 200_000)).dueMs).toBe(startMs + 200_000);
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

  test('passes by an event that can not be read, and says so', async () => {
    const queue = await start();
    for (const id of ['a', 'b', 'c']) await queue.put(asyncEvent({ id }));
    await stores.spoil(store, line, 'b');
    const leased = await leaseAt(queue, startMs);
    expect(leased.map(({ event }) => event.id)).toEqual(['a', 'c']);
    expect(stores.problems).toEqual([expect.stringMatching(/^event b of default\/hello can't be read: .*JSON/)]);
    expect(await leaseAt(queue, startMs + 59_999)).toEqual([]);
    await leaseAt(queue, startMs + 60_000);
    expect(stores.problems).toHaveLength(2);
  });

  test('passes by a dead event that can not be read', async () => {
    const queue = await start();
    for (const id of ['a', 'b', 'c', 'd']) await queue.put(asyncEvent({ id }));
    for (const { lease } of await leaseAt(queue, startMs)) await queue.settle(lease, deadAt(startMs));
    for (const id of ['b', 'c']) await stores.spoil(store, line, id);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await queue.dead(line, { limit: 1, ...(after === undefined ? {} : { after }) });
      seen.push(...page.events.map(({ event }) => event.id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(['d', 'a']);
    expect(stores.problems).toHaveLength(2);
    expect(await queue.drop(line, 'b')).toBe(true);
  });

  test('keeps everything when it is closed and opened again', async () => {
    const connect = await stores.empty(store);
    const before = connect();
    await before.put(asyncEvent({ id: 'kept' }));
    await before.close();
    await expect(before.put(asyncEvent())).rejects.toBeInstanceOf(QueueUnavailable);
    expect((await leaseOne(connect(), startMs)).event.id).toBe('kept');
  });
});
