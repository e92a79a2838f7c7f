import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';

import { until as untilHolds } from '../dispatch/testing-agent.ts';
import type { Invocation, Outcome } from '../dispatch/types.ts';
import type { StoredEvent } from '../queue/event-queue.ts';
import { defaultLimits } from '../queue/queue-limits.ts';
import { SqliteQueue } from '../queue/sqlite-queue.ts';
import type { RoutedFunction } from '../registry/routing.ts';
import { answered, routed } from '../testing.ts';
import { Runner } from './runner.ts';
import type { RunnerLimits } from './runner-options.ts';
import { asyncEvent, asyncSettings } from './testing.ts';

export type Run = (invocation: Invocation) => Promise<Outcome>;

/** What a test may say of a runner. */
export interface RunnerOverrides {
  readonly limits?: Partial<RunnerLimits>;
  readonly fn?: RoutedFunction | undefined;
  readonly isMine?: () => boolean;
  readonly hearsOfFunctions?: () => boolean;
  readonly settings?: ReturnType<typeof asyncSettings>;
}

/** The line of tests. */
const line = 'default/hello';
const limits: RunnerLimits = { maxRunning: 100, maxBytes: 1_000_000, leaseMs: 30_000, sweepMs: 5 };

export const ids = (count: number): readonly string[] => [...Array(count).keys()].map((n) => `event-${n}`);
export const fine: Outcome = answered(Buffer.from('{}'));
export const failed: Outcome = { ...answered(Buffer.from('{"errorMessage":"on purpose"}')), kind: 'error' };

/** Runners on a real queue, a new one for each test. Their clock stands still until a test moves it; sweeps come in real time. */
export class RunnerWorld {
  readonly queue: SqliteQueue;
  nowMs = 0;
  /** What became of events, as metrics hear it. */
  readonly settled: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'kappa-runner-'));
  readonly #runners: Runner[] = [];

  constructor() {
    this.queue = new SqliteQueue(join(this.#folder, 'events.db'), defaultLimits);
  }

  start(run: Run, over: RunnerOverrides = {}): Runner {
    const fn = 'fn' in over ? over.fn : routed();
    const runner = new Runner({
      queue: this.queue,
      functions: { byObject: () => fn },
      hearsOfFunctions: over.hearsOfFunctions ?? (() => true),
      router: { invoke: (_target, invocation) => run(invocation) },
      random: () => 0,
      onRefused: () => undefined,
      isReady: () => true,
      isMine: over.isMine ?? (() => true),
      settingsOf: () => over.settings ?? asyncSettings(),
      deliver: () => Promise.resolve([]),
      observer: {
        begun: () => undefined,
        settled: (_line, { kind }) => this.settled.push(kind),
        swept: () => undefined,
      },
      now: () => this.nowMs,
      after: (ms, then) => {
        const timer = setTimeout(then, ms);
        return () => clearTimeout(timer);
      },
      onProblem: () => undefined,
      limits: { ...limits, ...over.limits },
    });
    this.#runners.push(runner);
    runner.start();
    return runner;
  }

  put(count = 1): Promise<unknown> {
    return Promise.all(ids(count).map((id) => this.queue.put(asyncEvent({ id }))));
  }

  stored(id = 'event-0'): Promise<StoredEvent | undefined> {
    return this.queue.find(line, id);
  }

  async isGone(): Promise<boolean> {
    return (await this.queue.lines(this.nowMs)).length === 0;
  }

  async end(): Promise<void> {
    for (const runner of this.#runners) runner.end();
    await this.queue.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One world for each test of the file; answers the present one. */
export function runnerWorlds(): () => RunnerWorld {
  let world: RunnerWorld;
  beforeEach(() => {
    world = new RunnerWorld();
  });
  afterEach(() => world.end());
  return () => world;
}

export function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  return untilHolds(holds, () => `not so within ten seconds: ${what}`);
}

/** A function that runs until it is let go. */
export function held() {
  const over = Promise.withResolvers<Outcome>();
  const seen: string[] = [];
  const run: Run = ({ requestId }) => {
    seen.push(requestId);
    return over.promise;
  };
  return { run, seen, letGo: () => over.resolve(fine) };
}
