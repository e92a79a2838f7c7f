import { randomUUID } from 'node:crypto';

import { until as poll } from '../testing.ts';
import { defaultLimits, type QueueLimits } from './queue-limits.ts';
import { RedisQueue } from './redis-queue.ts';
import { asyncEvent } from './testing.ts';
import { patientMs, TestRedis } from './testing-redis.ts';

const servers: TestRedis[] = [];
const queues: RedisQueue[] = [];

/** Ends what a test started and connected; after each test. */
export async function endRedis(): Promise<void> {
  for (const queue of queues.splice(0)) await queue.close();
  for (const server of servers.splice(0)) await server.stop();
}

/** @see TestRedis.start */
export async function startRedis(...settings: readonly string[]): Promise<TestRedis> {
  const redis = await TestRedis.start(...settings);
  servers.push(redis);
  return redis;
}

/** A gateway's queue; what it says of problems is added to `problems`. */
export function connect(
  redis: TestRedis,
  more: { limits?: Partial<QueueLimits>; password?: string; problems?: string[]; answerWithinMs?: number } = {},
): RedisQueue {
  const { limits, password = '', problems = [], answerWithinMs = patientMs } = more;
  const onProblem = (problem: Error): void => void problems.push(problem.message);
  const queue = new RedisQueue(
    { url: redis.url, password, answerWithinMs, onProblem },
    { ...defaultLimits, ...limits },
  );
  queues.push(queue);
  return queue;
}

/** Polls until it holds, for longer than some calls of a queue may take. */
export function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  return poll(holds, undefined, 6 * patientMs);
}

/** Whether an event is accepted now. */
export function isPut(queue: RedisQueue, id: string = randomUUID()): Promise<boolean> {
  return queue.put(asyncEvent({ id })).then(
    () => true,
    () => false,
  );
}
