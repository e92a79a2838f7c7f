import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { QueueFull, QueueUnavailable } from './event-queue.ts';
import { defaultLimits } from './queue-limits.ts';
import { SqliteFile } from './sqlite-file.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { asyncEvent, leaseAt, leaseOne, line, startMs } from './testing.ts';

/*
 * What becomes of events when the process dies, the disk is full, or the file is another's.
 */

let folder: string;
let path: string;
const queues: SqliteQueue[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kappa-sqlite-'));
  path = join(folder, 'events.db');
});
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.close();
  await rm(folder, { recursive: true, force: true });
});

function open(file: string | SqliteFile = path): SqliteQueue {
  const queue = new SqliteQueue(file, defaultLimits);
  queues.push(queue);
  return queue;
}

/** Ids that a process acknowledged before it was killed. */
async function putUntilKilled(): Promise<readonly string[]> {
  const putter = fileURLToPath(new URL('testing-putter.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', putter, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ids: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (id) => {
    ids.push(id);
    if (ids.length === 30) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return ids;
}

test('no acknowledged event is lost when the process is killed', async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round += 1) acknowledged.push(...(await putUntilKilled()));
  expect(acknowledged.length).toBeGreaterThanOrEqual(150);
  const kept = new Set((await leaseAt(open(), startMs, 100_000)).map(({ event }) => event.id));
  const more = open();
  for (
    let leased = await leaseAt(more, startMs, 100_000);
    leased.length > 0;
    leased = await leaseAt(more, startMs, 100_000)
  ) {
    for (const { event } of leased) kept.add(event.id);
  }
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
}, 120_000);

test('a full disk takes no more, loses nothing, and is used again when there is room', async () => {
  const file = new SqliteFile(path);
  const queue = open(file);
  await queue.put(asyncEvent({ id: 'first', payload: Buffer.alloc(50_000) }));
  const { lease } = await leaseOne(queue, startMs);
  file.get('PRAGMA max_page_count = 80');
  const putMany = async (): Promise<readonly PromiseSettledResult<void>[]> => {
    const events = Array.from({ length: 10 }, () => asyncEvent({ payload: Buffer.alloc(50_000) }));
    return Promise.allSettled(events.map((event) => queue.put(event)));
  };
  const outcomes = await putMany();
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  const kept = outcomes.length - refused.length;
  expect(kept).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(0);
  for (const { reason } of refused) expect(reason).toBeInstanceOf(QueueFull);

  // What is done gives its room to the next one.
  expect(await queue.settle(lease, { kind: 'done' })).toBe(true);
  await queue.put(asyncEvent({ id: 'next', payload: Buffer.alloc(50_000) }));
  file.get('PRAGMA max_page_count = 1000000');
  expect((await putMany()).every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(await leaseAt(queue, startMs, 100)).toHaveLength(kept + 11);
});

test('one that has no room takes no other with it', async () => {
  const queue = open();
  const tooLarge = asyncEvent({ payload: Buffer.alloc(20_000), line: 'default/large' });
  const limited = new SqliteQueue(path, { ...defaultLimits, bytes: 10_000 });
  queues.push(limited);
  const outcomes = await Promise.allSettled([
    limited.put(asyncEvent({ id: 'a' })),
    limited.put(tooLarge),
    limited.put(asyncEvent({ id: 'b' })),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((await leaseAt(queue, startMs)).map(({ event }) => event.id)).toEqual(['a', 'b']);
});

test('a file that another process holds fails calls, and works when it lets go', async () => {
  const queue = open();
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const outcomes = await Promise.allSettled([queue.put(asyncEvent()), queue.put(asyncEvent())]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(QueueUnavailable) });
  }
  other.exec('ROLLBACK');
  other.close();
  await queue.put(asyncEvent({ id: 'after' }));
  expect((await leaseOne(queue, startMs)).lease).toMatchObject({ line, id: 'after' });
});

test('a file that is no queue is left alone', async () => {
  await writeFile(
    path,
    'not a database, and longer than the header of one, which has a hundred bytes in all. '.repeat(3),
  );
  expect(() => open()).toThrow(/can't open the queue .*events\.db.*not a database/);
});

test('events are only told when they are synced to the disk', () => {
  const file = new SqliteFile(path);
  expect(file.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  expect(file.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  void file.close();
});
