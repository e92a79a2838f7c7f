import { afterEach, expect, jest, test } from '@jest/globals';

import { type LeasedEvent, QueueFull, QueueUnavailable } from './event-queue.ts';
import { answerWithinMs } from './redis-connection.ts';
import type { RedisQueue } from './redis-queue.ts';
import { asyncEvent, leaseAt, leaseOne, line, startMs } from './testing.ts';
import { connect, endRedis, isPut, startRedis, until } from './testing-redis-queue.ts';

/*
 * What becomes of events when Redis dies, hangs or is full.
 */

// Redis may have to be installed first.
jest.setTimeout(600_000);

afterEach(endRedis);

/** Puts about 100 events a second until it is stopped; only those that Redis acknowledged count. */
class Sender {
  readonly acknowledged = new Set<string>();
  readonly refusals: unknown[] = [];
  readonly #queue: RedisQueue;
  readonly #sent: Promise<void>[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(queue: RedisQueue) {
    this.#queue = queue;
    this.#timer = setInterval(() => this.#sent.push(this.#send()), 10);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#sent);
  }

  async #send(): Promise<void> {
    const event = asyncEvent();
    try {
      await this.#queue.put(event);
      this.acknowledged.add(event.id);
    } catch (error) {
      this.refusals.push(error);
    }
  }
}

/** Takes events and runs them, until it is stopped: what `ran` has, had its effect. */
class Taker {
  readonly ran = new Set<string>();
  readonly #queue: RedisQueue;
  readonly #ended: Promise<void>;
  #isStopped = false;

  constructor(queue: RedisQueue) {
    this.#queue = queue;
    this.#ended = this.#take();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  async #take(): Promise<void> {
    while (!this.#isStopped) {
      // Slower than events come, so that some always wait; what no answer came for is left to run out.
      for (const { lease } of await leaseAt(this.#queue, startMs, 1).catch(() => [])) {
        this.ran.add(lease.id);
        await this.#queue.settle(lease, { kind: 'done' }).catch(() => false);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}

test('no acknowledged event is lost when Redis is killed ten times under load', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  const sender = new Sender(queue);
  const taker = new Taker(queue);
  for (let round = 0; round < 10; round += 1) {
    const before = sender.acknowledged.size;
    await until(() => sender.acknowledged.size >= before + 20);
    await redis.kill();
    const refused = sender.refusals.length;
    await until(() => sender.refusals.length > refused);
    await redis.restart();
  }
  const before = sender.acknowledged.size;
  await until(() => sender.acknowledged.size > before);
  await sender.stop();
  await taker.stop();

  const left: string[] = [];
  await until(async () => {
    const leased = await leaseAt(queue, startMs + 3_600_000, 1000);
    left.push(...leased.map(({ event }) => event.id));
    return leased.length === 0;
  });
  const lost = [...sender.acknowledged].filter((id) => !taker.ran.has(id) && !left.includes(id));
  expect(lost).toEqual([]);
  expect(sender.acknowledged.size).toBeGreaterThanOrEqual(200);
  expect(taker.ran.size).toBeGreaterThan(0);
  expect(new Set(left).size).toBe(left.length);
  for (const refusal of sender.refusals) expect(refusal).toBeInstanceOf(QueueUnavailable);
});

test('a silent Redis is noticed before a second is over, and used again when it answers', async () => {
  expect(answerWithinMs).toBeLessThan(1000);
  const redis = await startRedis();
  const queue = connect(redis, { answerWithinMs });
  await until(() => isPut(queue));
  redis.signal('SIGSTOP');
  // All of these end while Redis still says nothing.
  await expect(queue.put(asyncEvent())).rejects.toBeInstanceOf(QueueUnavailable);
  await expect(queue.lines(startMs)).rejects.toBeInstanceOf(QueueUnavailable);
  redis.signal('SIGCONT');
  await until(() => isPut(queue));
});

test('events of a lease whose answer got lost are leased again at once', async () => {
  const redis = await startRedis();
  const other = connect(redis);
  const queue = connect(redis, { answerWithinMs });
  await until(async () => (await leaseAt(queue, startMs).catch(() => null)) !== null);
  await other.put(asyncEvent({ id: 'wanted' }));
  redis.signal('SIGSTOP');
  await expect(leaseAt(queue, startMs)).rejects.toBeInstanceOf(QueueUnavailable);
  redis.signal('SIGCONT');
  // Redis has carried out what nobody waits for any more.
  await until(async () => (await other.find(line, 'wanted'))?.state === 'leased');
  expect(await leaseAt(other, startMs)).toEqual([]);
  const again: LeasedEvent[] = [];
  await until(async () => again.push(...(await leaseAt(queue, startMs).catch(() => []))) > 0);
  expect(again.map(({ event }) => event.id)).toEqual(['wanted']);
  expect(await leaseAt(other, startMs)).toEqual([]);
  for (const { lease } of again) expect(await other.settle(lease, { kind: 'done' })).toBe(true);
});

test('a Redis that is gone fails calls at once, and is used again when it is back', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  await queue.put(asyncEvent());
  await redis.kill();
  await until(async () => !(await isPut(queue)));
  await expect(queue.put(asyncEvent())).rejects.toBeInstanceOf(QueueUnavailable);
  await redis.restart();
  await until(() => isPut(queue));
  expect((await queue.lines(startMs))[0]?.waiting).toBeGreaterThanOrEqual(2);
});

test('a full Redis takes no more, and what it has can be run to its end', async () => {
  const redis = await startRedis('--maxmemory', '12mb');
  // The queue's own bound comes later than Redis's.
  const queue = connect(redis, { limits: { bytes: 1024 ** 3 } });
  const fill = async (): Promise<unknown> => {
    for (;;) {
      const problem = await queue
        .put(asyncEvent({ payload: Buffer.alloc(256 * 1024) }))
        .catch((error: unknown) => error);
      if (problem !== undefined) return problem;
    }
  };
  expect(await fill()).toBeInstanceOf(QueueFull);
  const { lease, event } = await leaseOne(queue, startMs);
  const payload = Buffer.alloc(256 * 1024);
  const progress = { attempts: 1, refusals: 0, last: { statusCode: 200, functionError: 'Unhandled', payload } };
  expect(await queue.renew(lease, startMs + 90_000)).toBe(true);
  expect(await queue.settle(lease, { kind: 'retry', dueMs: startMs, progress })).toBe(true);
  // What the function said had no place.
  const { payload: _, ...last } = progress.last;
  expect((await queue.find(line, event.id))?.progress).toEqual({ ...progress, last: { ...last, payloadCut: true } });
  expect(await queue.drop(line, event.id)).toBe(true);
  for (;;) {
    const leased = await leaseAt(queue, startMs, 100);
    if (leased.length === 0) break;
    for (const one of leased) expect(await queue.settle(one.lease, { kind: 'done' })).toBe(true);
  }
  expect(await queue.lines(startMs)).toEqual([]);
  await queue.put(asyncEvent());
});

test('left to itself the queue is full before Redis is, whether events are large or small', async () => {
  for (const [bytes, atOnce] of [
    [0, 200],
    [100_000, 20],
  ] as const) {
    const redis = await startRedis('--maxmemory', '12mb');
    const queue = connect(redis);
    const putMany = (): Promise<unknown> =>
      Promise.all(
        Array.from({ length: atOnce }, (_, i) =>
          queue.put(asyncEvent({ line: `default/f${i % 4}`, payload: Buffer.alloc(bytes) })),
        ),
      ).catch((error: unknown) => error);
    let problem: unknown;
    await until(async () => {
      problem = await putMany();
      return problem instanceof Error;
    });
    expect(problem).toEqual(new QueueFull('the queue is full'));
    const [, used] = /used_memory:(\d+)/.exec(await redis.command('INFO', 'memory')) ?? [];
    expect(Number(used)).toBeGreaterThan(12 * 1024 ** 2 * 0.4);
    expect(Number(used)).toBeLessThan(12 * 1024 ** 2 * 0.9);
  }
});

test('hints come again after Redis was gone', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  let hints = 0;
  queue.onDue(() => {
    hints += 1;
  });
  const isTold = async (): Promise<boolean> => {
    const before = hints;
    await isPut(queue);
    for (const { lease } of await leaseAt(queue, startMs).catch(() => [])) await queue.settle(lease, { kind: 'done' });
    return hints > before;
  };
  await until(isTold);
  await redis.kill();
  await redis.restart();
  await until(isTold);
});

test('a server that became a replica is given no event, and is used again when it leads', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  await queue.put(asyncEvent());
  await redis.command('REPLICAOF', '127.0.0.1', '1');
  await expect(queue.put(asyncEvent())).rejects.toBeInstanceOf(QueueUnavailable);
  await redis.command('REPLICAOF', 'NO', 'ONE');
  await until(() => isPut(queue));
});

test('scripts that the server forgot are sent again', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  await queue.put(asyncEvent());
  await redis.command('SCRIPT', 'FLUSH');
  await queue.put(asyncEvent());
  expect(await leaseAt(queue, startMs)).toHaveLength(2);
});
