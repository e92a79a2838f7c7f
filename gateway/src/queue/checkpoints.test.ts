import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import type { CheckpointStore, Claimed } from '../event-sources/checkpoints/checkpoint-store.ts';
import { MemoryCheckpoints } from '../event-sources/checkpoints/testing-checkpoints.ts';
import { QueueUnavailable } from './event-queue.ts';
import { RedisCheckpoints } from './redis-checkpoints.ts';
import { SqliteCheckpoints } from './sqlite-checkpoints.ts';
import { patientMs, TestRedis } from './testing-redis.ts';
import { installMs } from './testing-stores.ts';

/*
 * What CheckpointStore promises, played on every store.
 */

const key = { mapping: 'm', shard: 's' };
let redis: TestRedis;
let folder: string;
let files = 0;
const open: CheckpointStore[] = [];

beforeAll(async () => {
  redis = await TestRedis.start('--maxmemory', '64mb');
  folder = await mkdtemp(join(tmpdir(), 'kappa-checkpoints-'));
}, installMs);
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

function connect(answerWithinMs = patientMs): CheckpointStore {
  const store = new RedisCheckpoints({ url: redis.url, password: '', answerWithinMs, onProblem: () => undefined });
  open.push(store);
  return store;
}

function openFile(path: string): CheckpointStore {
  const store = new SqliteCheckpoints(path);
  open.push(store);
  return store;
}

/** Two gateways' views of an empty store. */
async function startTwo(kind: 'redis' | 'sqlite' | 'memory'): Promise<readonly [CheckpointStore, CheckpointStore]> {
  if (kind === 'memory') {
    const store = new MemoryCheckpoints();
    return [store, new MemoryCheckpoints(store)];
  }
  if (kind === 'redis') {
    await redis.command('FLUSHALL');
    return [connect(), connect()];
  }
  files += 1;
  const path = join(folder, `${files}.db`);
  return [openFile(path), openFile(path)];
}

async function claimed(store: CheckpointStore, owner: string, shard = 's'): Promise<Claimed> {
  const [row] = (await store.rows(['m'])).filter((each) => each.key.shard === shard);
  const claim = await store.claim({ mapping: 'm', shard }, owner, row ?? null);
  if (claim === null) throw new Error('it was not claimed');
  return claim;
}

describe.each(['redis', 'sqlite', 'memory'] as const)('checkpoints in %s', (kind) => {
  test('a shard that nobody had is claimed, and nothing is kept of it', async () => {
    const [one, two] = await startTwo(kind);
    expect(await one.claim(key, 'a', null)).toEqual({ key, epoch: 1, checkpoint: null });
    expect(await two.rows(['m', 'other'])).toEqual([{ key, epoch: 1, owner: 'a', beat: 0, isEnd: false }]);
    expect(await two.mappings()).toEqual(['m']);
  });

  test('one of two that claim at once has it', async () => {
    const [one, two] = await startTwo(kind);
    const both = await Promise.all([one.claim(key, 'a', null), two.claim(key, 'b', null)]);
    expect(both.filter((each) => each !== null)).toHaveLength(1);
  });

  test('it is taken by who saw it not move, and by nobody else', async () => {
    const [one, two] = await startTwo(kind);
    const mine = await claimed(one, 'a');
    const [seen] = await two.rows(['m']);
    expect(await one.beat([mine])).toEqual([]);
    expect(await two.claim(key, 'b', seen ?? null)).toBeNull();
    expect(await two.claim(key, 'b', null)).toBeNull();
    const [moved] = await two.rows(['m']);
    expect(moved).toMatchObject({ epoch: 1, beat: 1 });
    expect(await two.claim(key, 'b', moved ?? null)).toMatchObject({ epoch: 2 });
  });

  test('who has lost it changes nothing any more', async () => {
    const [one, two] = await startTwo(kind);
    const old = await claimed(one, 'a');
    const other = await claimed(one, 'a', 'other');
    const taken = await claimed(two, 'b');
    expect(await two.save(taken, 'new', false)).toBe(true);
    expect(await one.save(old, 'old', true)).toBe(false);
    expect(await one.release(old)).toBe(false);
    expect(await one.beat([old, other])).toEqual([old]);
    expect(await two.rows(['m'])).toContainEqual({ key, epoch: 2, owner: 'b', beat: 1, isEnd: false });
    expect(await claimed(one, 'c')).toMatchObject({ epoch: 3, checkpoint: 'new' });
  });

  test('a claim whose answer was lost is made again by the same life, whatever it saw', async () => {
    const [one] = await startTwo(kind);
    const first = await claimed(one, 'a');
    await one.beat([first]);
    expect(await one.claim(key, 'a', null)).toMatchObject({ epoch: 2 });
    expect(await one.save(first, 'x', false)).toBe(false);
  });

  test('what is given back is free for all, and its checkpoint stays', async () => {
    const [one, two] = await startTwo(kind);
    const mine = await claimed(one, 'a');
    const window = 'ü'.repeat(600_000);
    expect(await one.save(mine, window, false)).toBe(true);
    expect(await one.release(mine)).toBe(true);
    expect(await one.save(mine, 'x', false)).toBe(false);
    expect(await one.beat([mine])).toEqual([mine]);
    expect(await two.claim(key, 'b', null)).toEqual({ key, epoch: 2, checkpoint: window });
  });

  test('the end of a shard is known to all', async () => {
    const [one, two] = await startTwo(kind);
    const mine = await claimed(one, 'a');
    await one.save(mine, 'x', true);
    expect(await two.rows(['m'])).toMatchObject([{ isEnd: true }]);
  });

  test('a mapping that is forgotten leaves nothing', async () => {
    const [one, two] = await startTwo(kind);
    const mine = await claimed(one, 'a');
    await claimed(one, 'a', 'other');
    await two.forget('m');
    expect(await one.rows(['m'])).toEqual([]);
    expect(await one.mappings()).toEqual([]);
    expect(await one.save(mine, 'x', false)).toBe(false);
  });

  test('hundreds of shards', async () => {
    const [one, two] = await startTwo(kind);
    const shards = Array.from({ length: 1_200 }, (_, at) => `shard-${at}`);
    const claims = await Promise.all(shards.map((shard) => one.claim({ mapping: 'm', shard }, 'a', null)));
    const mine = claims.filter((claim) => claim !== null);
    const [lost] = [await two.claim({ mapping: 'm', shard: 'shard-700' }, 'b', { epoch: 1, beat: 0 })];
    expect(lost).not.toBeNull();
    expect((await one.beat(mine)).map(({ key: { shard } }) => shard)).toEqual(['shard-700']);
    expect(await one.rows(['m'])).toHaveLength(1_200);
  });
});

describe('Redis in trouble', () => {
  test('what was told is there after kill -9', async () => {
    const [one] = await startTwo('redis');
    const mine = await claimed(one, 'a');
    await one.save(mine, 'kept', false);
    await redis.kill();
    await redis.restart();
    expect(await claimed(connect(), 'b')).toMatchObject({ epoch: 2, checkpoint: 'kept' });
  });

  test('silent: calls fail, and go on when it is back', async () => {
    await startTwo('redis');
    const store = connect(500);
    const mine = await claimed(connect(), 'a');
    redis.signal('SIGSTOP');
    await expect(store.beat([mine])).rejects.toThrow(QueueUnavailable);
    redis.signal('SIGCONT');
    const patient = connect();
    expect(await patient.beat([mine])).toEqual([]);
  });

  test('full: checkpoints go on, or nothing could ever leave', async () => {
    const [one] = await startTwo('redis');
    const mine = await claimed(one, 'a');
    await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
    expect(await one.save(mine, 'x'.repeat(1_000), false)).toBe(true);
    expect(await one.beat([mine])).toEqual([]);
    await redis.command('CONFIG', 'SET', 'maxmemory', '64mb');
  });
});
