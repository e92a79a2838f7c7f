import { afterEach, expect, jest, test } from '@jest/globals';

import { until } from '../testing.ts';
import { QueueFull, QueueUnavailable } from './event-queue.ts';
import { defaultLimits, type QueueLimits } from './queue-limits.ts';
import { answerWithinMs } from './redis-connection.ts';
import { RedisQueue } from './redis-queue.ts';
import { asyncEvent, leaseAt, leaseOne, line, startMs } from './testing.ts';
import { TestRedis } from './testing-redis.ts';

/*
 * What becomes of events when Redis dies, hangs, is full, or is not set up to keep them.
 */

// Redis may have to be installed first.
jest.setTimeout(300_000);

const servers: TestRedis[] = [];
const queues: RedisQueue[] = [];

afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.close();
  for (const server of servers.splice(0)) await server.stop();
});

async function startRedis(...settings: readonly string[]): Promise<TestRedis> {
  const redis = await TestRedis.start(...settings);
  servers.push(redis);
  return redis;
}

function connect(
  redis: TestRedis,
  more: { limits?: Partial<QueueLimits>; password?: string; problems?: string[] } = {},
): RedisQueue {
  const { limits, password = '', problems = [] } = more;
  const onProblem = (problem: Error): void => void problems.push(problem.message);
  const queue = new RedisQueue({ url: redis.url, password, onProblem }, { ...defaultLimits, ...limits });
  queues.push(queue);
  return queue;
}

const isPut = (queue: RedisQueue): Promise<boolean> =>
  queue.put(asyncEvent()).then(
    () => true,
    () => false,
  );

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
  const queue = connect(redis);
  await queue.put(asyncEvent({ id: 'before' }));
  redis.signal('SIGSTOP');
  // All of these end while Redis still says nothing.
  await expect(queue.put(asyncEvent())).rejects.toBeInstanceOf(QueueUnavailable);
  await expect(queue.lines(startMs)).rejects.toBeInstanceOf(QueueUnavailable);
  redis.signal('SIGCONT');
  await until(() => isPut(queue));
});

test('events of a lease whose answer got lost are leased again at once', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  await queue.put(asyncEvent({ id: 'wanted' }));
  redis.signal('SIGSTOP');
  await expect(leaseAt(queue, startMs)).rejects.toBeInstanceOf(QueueUnavailable);
  redis.signal('SIGCONT');
  const other = connect(redis);
  // Redis has carried out what nobody waits for any more.
  await until(async () => (await other.find(line, 'wanted').catch(() => undefined))?.state === 'leased');
  expect(await leaseAt(other, startMs)).toEqual([]);
  const again = await leaseOne(queue, startMs);
  expect(again.event.id).toBe('wanted');
  expect(await leaseAt(queue, startMs)).toEqual([]);
  expect(await queue.settle(again.lease, { kind: 'done' })).toBe(true);
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
  for (const bytes of [0, 100_000]) {
    const redis = await startRedis('--maxmemory', '12mb');
    const queue = connect(redis);
    const putMany = (): Promise<unknown> =>
      Promise.all(Array.from({ length: 50 }, () => queue.put(asyncEvent({ payload: Buffer.alloc(bytes) })))).catch(
        (error: unknown) => error,
      );
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

test.each([
  ['without a log', ['--appendonly', 'no'], /appendonly is no/],
  ['that syncs its log later', ['--appendfsync', 'everysec'], /appendfsync is everysec/],
  ['that throws keys away', ['--maxmemory-policy', 'allkeys-lru'], /maxmemory-policy is allkeys-lru/],
])('a Redis %s is given no event, and why is said', async (_reason, settings, why) => {
  const redis = await startRedis(...settings);
  const problems: string[] = [];
  const queue = connect(redis, { problems });
  const refusal = queue.put(asyncEvent());
  await expect(refusal).rejects.toBeInstanceOf(QueueUnavailable);
  await expect(refusal).rejects.toThrow(why);
  expect(problems.join()).toMatch(why);
});

test('a Redis that is set right is used without a restart', async () => {
  const redis = await startRedis('--appendfsync', 'everysec');
  const queue = connect(redis);
  expect(await isPut(queue)).toBe(false);
  await redis.command('CONFIG', 'SET', 'appendfsync', 'always');
  await until(() => isPut(queue));
});

test('a Redis that does not tell its settings is used, with a warning once', async () => {
  const redis = await startRedis('--rename-command', 'CONFIG', '');
  const problems: string[] = [];
  const queue = connect(redis, { problems });
  await queue.put(asyncEvent());
  await redis.kill();
  await until(async () => !(await isPut(queue)));
  await redis.restart();
  await until(() => isPut(queue));
  const warning = 'Redis does not tell its settings, see to them: appendfsync (always is needed)';
  expect(problems.filter((problem) => problem === warning)).toHaveLength(1);
});

test('a password is used, and a wrong one is no event lost', async () => {
  const redis = await startRedis('--requirepass', 'open sesame');
  const problems: string[] = [];
  expect(await isPut(connect(redis, { password: 'open sesame' }))).toBe(true);
  await expect(connect(redis, { password: 'wrong', problems }).put(asyncEvent())).rejects.toBeInstanceOf(
    QueueUnavailable,
  );
  expect(problems.join()).toMatch(/WRONGPASS/);
  expect(problems.join()).not.toMatch(/wrong/);
});

test('scripts that the server forgot are sent again', async () => {
  const redis = await startRedis();
  const queue = connect(redis);
  await queue.put(asyncEvent());
  await redis.command('SCRIPT', 'FLUSH');
  await queue.put(asyncEvent());
  expect(await leaseAt(queue, startMs)).toHaveLength(2);
});
