import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import { mappingView } from '../mapping/testing-view.ts';
import { findStuck } from '../owner/plan-watch.ts';
import { FakeQueue } from '../testing-source.ts';
import { MAX_BATCH_BYTES } from './batcher.ts';
import { QueuePoller } from './queue-poller.ts';
import { failed, PollerWorld, ran, refused, reported } from './testing-poller.ts';
import { sourceRecord } from './testing-records.ts';

const HOLD_MS = 30_000;
let world: PollerWorld;
let queue: FakeQueue;
const pollers: QueuePoller[] = [];

beforeEach(() => {
  world = new PollerWorld();
  queue = new FakeQueue({ nowMs: world.clock.nowMs, holdMs: HOLD_MS, maxReceives: 2 });
});
afterEach(() => {
  for (const poller of pollers.splice(0)) poller.abandon();
});

function start(spec: Partial<EventSourceMappingSpec> = {}, over: Parameters<PollerWorld['deps']>[0] = {}): QueuePoller {
  const poller = new QueuePoller(world.deps({ mapping: mappingView({ batchSize: 3, ...spec }), ...over }), queue);
  pollers.push(poller);
  return poller;
}

const send = (ids: string): void =>
  queue.send(...[...ids].map((id) => sourceRecord(id, { arrivedMs: world.clock.now() })));
const until = (holds: () => boolean): Promise<void> => world.clock.until(holds);
const given = (): string => world.batches.flat().toSorted().join('');

describe('messages', () => {
  test('are given in batches, and deleted', async () => {
    send('abcdefg');
    start();
    await until(() => queue.size === 0);
    expect(given()).toBe('abcdefg');
    expect(Math.max(...world.batches.map((batch) => batch.length))).toBe(3);
    expect(world.counts).toMatchObject({ polled: 7, deleted: 7 });
  });

  test('wait for others as long as the window says, and nobody else gets them meanwhile', async () => {
    send('a');
    start({ maximumBatchingWindowSeconds: 120 });
    await until(() => world.batches.length === 1);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(120_000);
    await until(() => queue.size === 0);
    expect(world.batches).toEqual([['a']]);
  });

  test('that no filter wants are deleted', async () => {
    send('abc');
    start({}, { filter: ({ filterable }) => filterable().metadata['id'] === 'b' });
    await until(() => queue.size === 0);
    expect(given()).toBe('b');
    expect(world.counts.filteredOut).toBe(2);
  });

  test('that are named as failed come back, the others are gone', async () => {
    send('abc');
    world.answer = (ids) => (ids.includes('b') ? reported('b') : ran());
    start({ reportBatchItemFailures: true });
    await until(() => queue.size === 0);
    expect(queue.deleted.toSorted()).toEqual(['a', 'c']);
    expect(queue.dead).toEqual(['b']);
    expect(world.batches).toEqual([['a', 'b', 'c'], ['b']]);
  });

  test('of a batch that fails come back all, until the queue has had enough', async () => {
    send('ab');
    world.answer = () => failed;
    start();
    await until(() => queue.size === 0);
    expect(queue.dead.toSorted()).toEqual(['a', 'b']);
    expect(world.batches).toHaveLength(2);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(HOLD_MS);
  });

  test('that there is no capacity for are held for hours, and never die of it', async () => {
    send('abcdef');
    const backMs = 3 * 3_600_000;
    world.answer = () => (world.clock.nowMs() < backMs ? refused : ran());
    start();
    await world.clock.until(() => queue.size === 0, 4 * 3_600_000);
    expect(queue.dead).toEqual([]);
    expect(queue.deleted.toSorted().join('')).toBe('abcdef');
    expect(world.counts.polled).toBeLessThanOrEqual(6); // each was received once
  });

  test('of a function that is gone are given back', async () => {
    send('ab');
    world.answer = () => {
      world.hasRoom = false;
      return { kind: 'missing' };
    };
    start();
    await until(() => world.results.includes('throttled'));
    await world.clock.pass(60_000);
    expect(world.batches).toHaveLength(1);
    expect(queue.size).toBe(2);
    expect(await queue.receive({ max: 10, waitMs: 0, signal: new AbortController().signal })).toHaveLength(2);
  });

  test('that are larger than an invocation stop no other', async () => {
    queue.send(sourceRecord('huge', { bytes: MAX_BATCH_BYTES }), sourceRecord('b'));
    start();
    await until(() => queue.size === 0);
    expect(world.batches).toEqual([['b']]);
    expect(queue.dead).toEqual(['huge']);
    expect(world.results).toContain('tooLarge');
  });
});

describe('messages of one key that are too much for one event', () => {
  const sendLarge = (ids: string): void =>
    queue.send(...[...ids].map((id) => sourceRecord(id, { key: 'k', bytes: 0.4 * MAX_BATCH_BYTES })));

  test('run one batch after the other, while others go on', async () => {
    sendLarge('abc');
    queue.send(...[...'xyz'].map((id) => sourceRecord(id)));
    const running = new Set<string>();
    let most = 0;
    world.answer = async ([first = '']) => {
      if (first < 'x') running.add(first);
      most = Math.max(most, running.size);
      await world.clock.sleep(first < 'x' ? 20_000 : 1_000, new AbortController().signal);
      running.delete(first);
      return ran();
    };
    start();
    await until(() => queue.size === 0);
    expect(world.batches).toEqual([['a', 'b'], ['x', 'y', 'z'], ['c']]);
    expect(most).toBe(1);
  });

  test('come back in order when the first of them fail', async () => {
    sendLarge('abc');
    world.answer = () => (world.batches.length === 1 ? failed : ran());
    start();
    await until(() => queue.size === 0);
    expect(world.batches).toEqual([['a', 'b'], ['a', 'b'], ['c']]);
    expect(queue.deleted).toEqual(['a', 'b', 'c']);
  });
});

describe('calls that fail', () => {
  test('a receive is tried again after a pause', async () => {
    send('a');
    queue.nextErrors.receive = new Error('connection refused');
    start();
    await until(() => queue.size === 0);
    expect(world.problems).toHaveLength(1);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(1_000);
  });

  test('a delete is tried again, and the function is not', async () => {
    send('a');
    queue.nextErrors.delete = new Error('connection reset');
    start();
    await until(() => queue.size === 0);
    expect(world.batches).toHaveLength(1);
  });

  test('a hold is tried again before the message is anybody else’s', async () => {
    send('a');
    queue.nextErrors.hold = new Error('connection reset');
    world.answer = async () => {
      await world.clock.sleep(100_000, new AbortController().signal);
      return ran();
    };
    start();
    await until(() => queue.size === 0);
    expect(world.batches).toHaveLength(1);
  });
});

describe('how much runs at once', () => {
  test('never more than the mapping says', async () => {
    send('abcdefghijklmnopqrstuvwxyz');
    let running = 0;
    let most = 0;
    world.answer = async () => {
      running += 1;
      most = Math.max(most, running);
      await world.clock.sleep(1_000, new AbortController().signal);
      running -= 1;
      return ran();
    };
    start({ maximumConcurrency: 2, batchSize: 1 });
    await until(() => queue.size === 0);
    expect(most).toBe(2);
  });

  test('no more than the mapping says from now on, although the queue is full', async () => {
    for (let count = 0; count < 2_000; count += 1)
      queue.send(sourceRecord(`${count}`, { arrivedMs: world.clock.now() }));
    let running = 0;
    world.answer = async () => {
      running += 1;
      await world.clock.sleep(1_000, new AbortController().signal);
      running -= 1;
      return ran();
    };
    const poller = start({ batchSize: 1 });
    await until(() => running >= 6);
    poller.update(mappingView({ batchSize: 1, maximumConcurrency: 2 }), () => true);
    await world.clock.pass(2_000);
    for (let seconds = 0; seconds < 10; seconds += 1) {
      await world.clock.pass(1_000);
      expect(poller.watched).toHaveLength(2);
      expect(running).toBeLessThanOrEqual(2);
    }
    expect(queue.size).toBeGreaterThan(0);
  });

  test('nothing is received while there is no room', async () => {
    send('a');
    world.hasRoom = false;
    start();
    await world.clock.pass(60_000);
    expect(world.counts.polled).toBe(0);
    world.hasRoom = true;
    await until(() => queue.size === 0);
  });
});

describe('who waits', () => {
  const isStuck = (poller: QueuePoller): boolean => findStuck(poller.watched, world.clock.nowMs()).length > 0;

  test('for room for a batch that is there does not hang, and its messages never die of it', async () => {
    send('ab');
    let isFull = true;
    const { takeRoom } = world.deps();
    const poller = start(
      {},
      {
        takeRoom: async (bytes, signal) => {
          while (isFull) await world.clock.sleep(100, signal);
          return takeRoom(bytes, signal);
        },
      },
    );
    for (let minutes = 0; minutes < 10; minutes += 1) {
      await world.clock.pass(60_000);
      expect(isStuck(poller)).toBe(false);
    }
    isFull = false;
    await until(() => queue.size === 0);
    expect(queue.deleted).toEqual(['a', 'b']);
  });

  test('for a delete of what the filter leaves out does not hang while it is tried', async () => {
    send('a');
    const slow = new Error('no answer');
    queue.settle = async () => {
      await world.clock.sleep(10_000, new AbortController().signal);
      throw slow;
    };
    const poller = start({}, { filter: () => false });
    let stuck = 0;
    for (let seconds = 0; seconds < 45; seconds += 1) {
      await world.clock.pass(1_000);
      if (isStuck(poller)) stuck += 1;
    }
    expect(world.counts.filteredOut).toBeGreaterThan(0);
    expect(stuck).toBe(0);
  });
});

describe('the end of a poller', () => {
  test('given up: what runs is settled, and what waits is given back', async () => {
    send('abc');
    world.answer = async () => {
      await world.clock.sleep(50_000, new AbortController().signal);
      return ran();
    };
    const poller = start({ batchSize: 2, maximumBatchingWindowSeconds: 100 });
    await until(() => world.batches.length === 1 && world.counts.polled === 3);
    await world.clock.settled(poller.giveUp(() => undefined));
    expect(queue.deleted).toEqual(['a', 'b']);
    expect(world.running).toBe(0);
    expect(await queue.receive({ max: 10, waitMs: 0, signal: new AbortController().signal })).toHaveLength(1);
    expect(world.clock.sleeping).toBe(0);
  });

  test.each<[cap: number | undefined, isFree: boolean]>([
    [undefined, true],
    [2, false],
  ])('with a cap of %s others may have the queue while a batch runs: %s', async (maximumConcurrency, isFree) => {
    send('abcde');
    world.answer = async () => {
      await world.clock.sleep(50_000, new AbortController().signal);
      return ran();
    };
    const spec = { maximumBatchingWindowSeconds: 100, ...(maximumConcurrency !== undefined && { maximumConcurrency }) };
    const poller = start(spec);
    await until(() => world.batches.length === 1 && world.counts.polled === 5);
    let free = { running: 0, deleted: -1, others: -1 };
    const others = async (): Promise<void> => {
      const { length } = await queue.receive({ max: 10, waitMs: 0, signal: new AbortController().signal });
      free = { running: world.running, deleted: queue.deleted.length, others: length };
    };
    await world.clock.settled(poller.giveUp(() => void others()));
    expect(free).toEqual(isFree ? { running: 1, deleted: 0, others: 2 } : { running: 0, deleted: -1, others: -1 });
    expect(queue.deleted.toSorted()).toEqual(['a', 'b', 'c']);
    expect(world.clock.sleeping).toBe(0);
  });

  test('abandoned: nothing is settled any more', async () => {
    send('ab');
    world.answer = async () => {
      await world.clock.sleep(5_000, new AbortController().signal);
      return ran();
    };
    const poller = start();
    await until(() => world.batches.length === 1);
    poller.abandon();
    await until(() => world.running === 0);
    expect(queue.deleted).toEqual([]);
    expect(world.clock.sleeping).toBe(0);
  });
});
