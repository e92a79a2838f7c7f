import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { defaultLimits } from '../../queue/queue-limits.ts';
import { SqliteQueue } from '../../queue/sqlite-queue.ts';
import { answered, routed, until, versionView } from '../../testing.ts';
import { eventAcceptor } from '../accept.ts';
import { Runner } from '../runner.ts';
import { asyncEvent, asyncSettings } from '../testing.ts';
import { deliverer } from './deliver.ts';
import { lambdaTeller } from './lambda.ts';

/* Functions that are destinations of each other, on a real queue. */

let folder: string;
let queue: SqliteQueue;
let runner: Runner | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-circle-'));
  queue = new SqliteQueue(join(folder, 'events.db'), defaultLimits);
});
afterEach(async () => {
  runner?.end();
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

const arnOf = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const functionOf = (name: string) =>
  routed({ name, functionName: name, latestVersion: `${name}-1` }, [
    versionView({ name: `${name}-1`, functionObjectName: name }),
  ]);

/** Both always fail, and are not tried again. @param told on failure, by function. Answers how often they run. */
function start(told: Readonly<Record<string, string>>): () => number {
  let runs = 0;
  const functions = {
    byObject: (_namespace: string, name: string) => functionOf(name),
    byName: (_account: string, name: string) => functionOf(name),
  };
  const accept = eventAcceptor({ queue, now: () => 0, onReceived: () => undefined });
  const fail = answered(Buffer.from('{"errorMessage":"on purpose"}'), { kind: 'error' });
  runner = new Runner({
    queue,
    functions,
    hearsOfFunctions: () => true,
    router: {
      invoke: () => {
        runs += 1;
        return Promise.resolve(fail);
      },
    },
    random: () => 0,
    onRefused: () => undefined,
    isReady: () => true,
    isMine: () => true,
    settingsOf: (line) => {
      const arn = arnOf(told[line] ?? '');
      return asyncSettings({ maxRetryAttempts: 0, onFailure: [{ kind: 'destination', arn }] });
    },
    deliver: deliverer({
      tellers: { lambda: lambdaTeller({ functions, accept, random: () => 0 }) },
      onFailed: () => undefined,
      after: () => () => undefined,
    }),
    observer: { begun: () => undefined, settled: () => undefined, swept: () => undefined },
    now: () => 0,
    after: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    onProblem: () => undefined,
    limits: { maxRunning: 10, maxBytes: 8_000_000, leaseMs: 30_000, sweepMs: 5 },
  });
  runner.start();
  return () => runs;
}

test.each<[reason: string, told: Readonly<Record<string, string>>, runs: number]>([
  ['itself', { 'default/ping': 'ping' }, 16],
  ['each other', { 'default/ping': 'pong', 'default/pong': 'ping' }, 32],
])('who tells %s of a failure is stopped, and nothing goes on', async (_reason, told, wanted) => {
  const runsOf = start(told);
  await queue.put(asyncEvent({ line: 'default/ping', invokedArn: arnOf('ping') }));
  await until(
    async () => (await queue.lines(0)).length === 0,
    () => `it goes on after ${runsOf()} runs`,
  );
  expect(runsOf()).toBe(wanted);
  const { events } = await queue.dead('default/ping', { limit: 10 });
  expect(events).toMatchObject([{ condition: 'RecursiveInvocationDropped', progress: { attempts: 0 } }]);
});
