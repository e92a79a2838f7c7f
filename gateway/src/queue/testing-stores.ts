import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { EventQueue } from './event-queue.ts';
import { defaultLimits, type QueueLimits } from './queue-limits.ts';
import { RedisQueue } from './redis-queue.ts';
import type { ScheduleMarks } from './schedule-marks.ts';
import { SqliteFile } from './sqlite-file.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { patientMs, TestRedis } from './testing-redis.ts';

/** Every store that has to keep the contract. */
export const storeNames = ['redis', 'sqlite'] as const;

/** Redis may have to be installed first. */
export const installMs = 300_000;

export type StoreName = (typeof storeNames)[number];

/** Real stores for tests: a Redis, and files in a folder. */
export class TestStores {
  readonly #redis: TestRedis;
  readonly #folder: string;
  readonly #open: EventQueue[] = [];
  #files = 0;
  /** What queues said of problems since the last that was asked for. */
  problems: string[] = [];

  private constructor(redis: TestRedis, folder: string) {
    this.#redis = redis;
    this.#folder = folder;
  }

  static async start(): Promise<TestStores> {
    return new TestStores(await TestRedis.start(), await mkdtemp(join(tmpdir(), 'kappa-queue-')));
  }

  /** Opens an empty queue any number of times, each like another gateway. */
  async empty(store: StoreName, over: Partial<QueueLimits> = {}): Promise<() => EventQueue & ScheduleMarks> {
    const limits = { ...defaultLimits, ...over };
    this.#files += 1;
    this.problems = [];
    const file = this.#file;
    await this.#redis.command('FLUSHALL');
    const onProblem = (problem: Error): void => void this.problems.push(problem.message);
    return () => {
      const redis = { url: this.#redis.url, password: '', answerWithinMs: patientMs, onProblem };
      const queue = store === 'redis' ? new RedisQueue(redis, limits) : new SqliteQueue(file, limits, onProblem);
      this.#open.push(queue);
      return queue;
    };
  }

  /** Puts something else where an event's header was, as another program would. */
  async spoil(store: StoreName, line: string, id: string): Promise<void> {
    if (store === 'redis') {
      await this.#redis.command('HSET', `{kappa}:event:${line}:${id}`, 'header', '}{');
      return;
    }
    const file = new SqliteFile(this.#file);
    await file.change(() => file.run(`UPDATE events SET header = '}{' WHERE line = ? AND id = ?`, line, id));
    await file.close();
  }

  get #file(): string {
    return join(this.#folder, `${this.#files}/events.db`);
  }

  /** Closes what was opened; after each test. */
  async closeQueues(): Promise<void> {
    for (const queue of this.#open.splice(0)) await queue.close();
  }

  async stop(): Promise<void> {
    await this.closeQueues();
    await this.#redis.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
