import { afterEach, describe, expect, test } from '@jest/globals';

import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { MemoryCheckpoints } from '../checkpoints/testing-checkpoints.ts';
import type { Poller } from '../poll/poller.ts';
import type { Shard } from '../record.ts';
import { TestClock } from '../testing-clock.ts';
import type { Holding, OwnedMapping } from './owned-mapping.ts';
import type { Activity, Watched } from './plan-watch.ts';
import { ShardOwner } from './shard-owner.ts';

/** A shard is worked on so often by who holds it. */
const ACT_MS = 200;
/** What a batch takes that was begun. */
const BATCH_MS = 300;

interface Act {
  readonly shard: string;
  readonly epoch: number;
  readonly by: string;
  readonly atMs: number;
}

/** Gateways that share a store and a clock; each may be killed, cut off from the store, or see others of them. */
class World {
  readonly clock = new TestClock();
  readonly acts: Act[] = [];
  readonly problems: unknown[] = [];
  readonly shards: Shard[];
  readonly random: () => number;
  readonly gateways: Gateway[] = [];
  readonly #store = new MemoryCheckpoints();
  /** How often an answer of the store gets lost, 0..1. */
  lossRate = 0;
  /** @see BATCH_MS */
  batchMs = BATCH_MS;

  constructor(shards: number, seed = 1) {
    this.shards = Array.from({ length: shards }, (_, at) => ({ id: `s${at}`, parents: [] }));
    let state = seed;
    this.random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  start(name: string): Gateway {
    const gateway = new Gateway(this, name, this.#storeOf(name));
    this.gateways.push(gateway);
    return gateway;
  }

  /** Those that all others see. */
  get alive(): readonly string[] {
    return this.gateways.filter(({ isAlive, isCutOff }) => isAlive && !isCutOff).map(({ name }) => name);
  }

  /** Who works on a shard now. */
  workerOf(shard: string): string | undefined {
    const last = this.acts.findLast((act) => act.shard === shard);
    return last !== undefined && this.clock.nowMs() - last.atMs <= 2 * ACT_MS ? last.by : undefined;
  }

  #storeOf(name: string): CheckpointStore {
    const store = new MemoryCheckpoints(this.#store);
    const isCutOff = (): boolean => this.gateways.find((each) => each.name === name)?.isCutOff === true;
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isCutOff()) throw new Error('cut off');
      const answer = await work();
      if (this.random() < this.lossRate) throw new Error('the answer got lost');
      return answer;
    };
    return {
      claim: (...args) => call(() => store.claim(...args)),
      beat: (...args) => call(() => store.beat(...args)),
      save: (...args) => call(() => store.save(...args)),
      release: (...args) => call(() => store.release(...args)),
      rows: (...args) => call(() => store.rows(...args)),
      mappings: () => call(() => store.mappings()),
      forget: (...args) => call(() => store.forget(...args)),
      close: () => store.close(),
    };
  }
}

class Gateway {
  readonly name: string;
  readonly owner: ShardOwner;
  readonly mapping: OwnedMapping & { reopened: number };
  isAlive = true;
  isCutOff = false;
  /** By shard: what its poller says of itself, until it is begun again. */
  readonly hangs = new Map<string, Watched>();
  /** Shards whose source is not open. */
  readonly closed = new Set<string>();
  /** Its pollers say at once that others may have their shards, and end what they do. */
  isFreeAtOnce = false;
  /** Claims whose pollers were thrown away. */
  readonly abandoned: string[] = [];

  constructor(world: World, name: string, store: CheckpointStore) {
    this.name = name;
    this.owner = new ShardOwner({
      store,
      self: `${name}.1`,
      ranksFirst: (key) => {
        const seen = this.isCutOff ? [name] : world.alive; // who hears nobody thinks that it is alone
        return seen[Number(key.split('/s')[1]) % seen.length] === name;
      },
      clock: world.clock,
      onProblem: (problem) => void world.problems.push(problem),
      observer: { takenOver: () => undefined, restarted: () => undefined },
    });
    this.mapping = {
      uid: 'm',
      shards: world.shards,
      isDoubtful: false,
      reopened: 0,
      begin: (shard, holding) => {
        this.hangs.delete(shard.id);
        return this.closed.has(shard.id) ? null : worker(world, this, shard, holding);
      },
      reopen: () => {
        this.mapping.reopened += 1;
      },
    };
    this.owner.add(this.mapping);
    this.owner.start();
  }

  kill(): void {
    this.isAlive = false;
    this.isCutOff = true; // its last words do not get through
    this.owner.end();
  }
}

/** Works on a shard while it may. */
function worker(world: World, gateway: Gateway, { id }: Shard, { claim, mayBegin }: Holding): Poller {
  const { name: by, hangs } = gateway;
  const stopping = new AbortController();
  let running = 0;
  const act = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (mayBegin()) {
        running += 1;
        world.acts.push({ shard: id, epoch: claim.epoch, by, atMs: world.clock.nowMs() });
        await world.clock.sleep(world.batchMs, new AbortController().signal);
        running -= 1;
      }
      await world.clock.sleep(ACT_MS, stopping.signal).catch(() => undefined);
    }
  };
  const done = act();
  return {
    get watched() {
      const hung = hangs.get(id);
      return hung === undefined ? [] : [hung];
    },
    get runningCount() {
      return running;
    },
    update: () => undefined,
    giveUp: (onFree) => {
      stopping.abort();
      if (gateway.isFreeAtOnce) onFree();
      return done;
    },
    abandon: () => {
      stopping.abort();
      gateway.abandoned.push(`${id} ${claim.epoch}`);
    },
  };
}

let world: World;
afterEach(() => {
  for (const gateway of world.gateways) gateway.owner.end();
});

/** Every batch of an epoch has begun, and has ended, before the first of the next one. */
function expectOneAtATime(acts: readonly Act[]): void {
  for (const [shard, all] of Map.groupBy(acts, (act) => act.shard)) {
    for (const [at, act] of all.entries()) {
      const next = all[at + 1];
      if (next === undefined || next.epoch === act.epoch) continue;
      expect({ ...next, shard, isLater: next.epoch > act.epoch && next.atMs >= act.atMs + BATCH_MS }).toMatchObject({
        isLater: true,
      });
    }
  }
}

/** Each of them is a claim. */
const epochsOf = (shard: string): readonly number[] => [
  ...new Set(world.acts.filter((act) => act.shard === shard).map(({ epoch }) => epoch)),
];

const isShared = (...names: readonly string[]): boolean =>
  world.shards.every(({ id }, at) => world.workerOf(id) === names[at % names.length]);

test('each shard has one gateway, the one that the ring names', async () => {
  world = new World(6);
  for (const name of ['a', 'b', 'c']) world.start(name);
  await world.clock.until(() => isShared('a', 'b', 'c'), 5_000);
  expectOneAtATime(world.acts);
});

test('a new gateway gets its part when what runs has ended', async () => {
  world = new World(4);
  world.start('a');
  await world.clock.until(() => isShared('a'), 5_000);
  world.start('b');
  await world.clock.until(() => isShared('a', 'b'), 5_000);
  expectOneAtATime(world.acts);
});

test('a gateway dies: others go on within ten seconds', async () => {
  world = new World(4);
  world.start('a');
  const b = world.start('b');
  await world.clock.until(() => isShared('a', 'b'), 5_000);
  b.kill();
  await world.clock.until(() => isShared('a'), 10_000);
  expectOneAtATime(world.acts);
});

test('a gateway that is cut off stops before another one begins, and takes back what is its own afterwards', async () => {
  world = new World(4);
  world.start('a');
  const b = world.start('b');
  await world.clock.until(() => isShared('a', 'b'), 5_000);
  b.isCutOff = true;
  await world.clock.until(() => isShared('a'), 10_000);
  b.isCutOff = false;
  await world.clock.until(() => isShared('a', 'b'), 10_000);
  expectOneAtATime(world.acts);
});

describe('a shard that hangs', () => {
  const hang = (gateway: Gateway, shard: string, activity: Activity): void => {
    gateway.hangs.set(shard, { name: shard, activity, sinceMs: world.clock.nowMs() });
  };

  test('in a call to its destination begins again by itself; others go on', async () => {
    world = new World(3);
    const a = world.start('a');
    await world.clock.until(() => isShared('a'), 5_000);
    hang(a, 's1', { kind: 'telling' });
    await world.clock.until(() => epochsOf('s1').length === 2, 40_000);
    expect([epochsOf('s0'), epochsOf('s2')]).toEqual([[1], [1]]);
    expect(a.mapping.reopened).toBe(0);
  });

  test('and has the connection for itself is read over a new one, wherever it hangs', async () => {
    world = new World(1);
    const a = world.start('a');
    await world.clock.until(() => isShared('a'), 5_000);
    hang(a, 's0', { kind: 'telling' });
    await world.clock.until(() => epochsOf('s0').length === 2, 40_000);
    expect(a.mapping.reopened).toBe(1);
  });

  test('in its source is read over a new connection, and so are the others', async () => {
    world = new World(3);
    const a = world.start('a');
    await world.clock.until(() => isShared('a'), 5_000);
    hang(a, 's1', { kind: 'receiving', waitMs: 1_000 });
    await world.clock.until(() => world.shards.every(({ id }) => epochsOf(id).length === 2), 40_000);
    expect(a.mapping.reopened).toBe(1);
  });
});

test('a shard whose source closes while it is claimed is free again, and the others are looked at', async () => {
  world = new World(3);
  const a = world.start('a');
  a.closed.add('s0');
  await world.clock.until(() => world.workerOf('s1') === 'a' && world.workerOf('s2') === 'a', 5_000);
  expect(world.workerOf('s0')).toBeUndefined();
  a.closed.clear();
  await world.clock.until(() => isShared('a'), 5_000);
});

test('the store is silent for half a minute: all stop, nobody takes anything, and all go on', async () => {
  world = new World(4);
  const [a, b] = [world.start('a'), world.start('b')];
  await world.clock.until(() => isShared('a', 'b'), 5_000);
  for (const gateway of [a, b]) gateway.isCutOff = true;
  await world.clock.pass(30_000);
  const lastMs = Math.max(...world.acts.map(({ atMs }) => atMs));
  expect(world.clock.nowMs() - lastMs).toBeGreaterThanOrEqual(25_000);
  for (const gateway of [a, b]) gateway.isCutOff = false;
  await world.clock.until(() => isShared('a', 'b'), 10_000);
  expectOneAtATime(world.acts);
});

describe('a shard that others may have while batches of it run', () => {
  const move = async (): Promise<{ a: Gateway; b: Gateway }> => {
    world = new World(2);
    world.batchMs = 60_000;
    const a = world.start('a');
    a.isFreeAtOnce = true;
    await world.clock.until(() => world.acts.length === 2, 5_000);
    const b = world.start('b');
    await world.clock.until(() => world.acts.some(({ by }) => by === 'b'), 5_000);
    return { a, b };
  };

  test('is read elsewhere at once, and its batches end where they are', async () => {
    const { a } = await move();
    expect(a.owner.heldShards(a.mapping)).toEqual(['s0', 's1']);
    await world.clock.until(() => a.owner.heldShards(a.mapping).length === 1, 60_000);
    expect(a.abandoned).toEqual([]);
  });

  test('may come back before they have ended', async () => {
    const { a, b } = await move();
    b.kill();
    await world.clock.until(() => epochsOf('s1').length === 3, 10_000);
    expect(a.owner.heldShards(a.mapping).toSorted()).toEqual(['s0', 's1']);
    expect(a.abandoned).toEqual([]);
  });

  test('keeps its gateway until they have', async () => {
    const { a } = await move();
    a.owner.stop();
    await world.clock.settled(a.owner.whenIdle());
    const endMs = Math.max(...world.acts.filter(({ by }) => by === 'a').map(({ atMs }) => atMs)) + world.batchMs;
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(endMs);
    expect(a.abandoned).toEqual([]);
  });

  test('is thrown away when they hang', async () => {
    const { a } = await move();
    a.hangs.set('s1', { name: 's1', activity: { kind: 'settling' }, sinceMs: world.clock.nowMs() - 50_000 });
    await world.clock.until(() => a.abandoned.includes('s1 1'), 2_000);
  });
});

test('a mapping that is not wanted any more, and one that ends with its gateway, are given back', async () => {
  world = new World(2);
  const a = world.start('a');
  await world.clock.until(() => isShared('a'), 5_000);
  a.owner.remove(a.mapping);
  await world.clock.settled(a.owner.whenGivenUp(a.mapping));
  a.owner.add(a.mapping);
  await world.clock.until(() => isShared('a'), 5_000);
  a.owner.stop();
  await world.clock.settled(a.owner.whenIdle());
  a.isAlive = false;
  world.start('b');
  await world.clock.until(() => isShared('b'), 3_000);
  expectOneAtATime(world.acts);
});

test.each(Array.from({ length: 20 }, (_, seed) => seed + 1))(
  'whatever happens (%d): one at a time, and all in the end',
  async (seed) => {
    world = new World(5, seed);
    world.lossRate = 0.05;
    const living = [world.start('a'), world.start('b'), world.start('c')];
    let started = 3;
    for (let steps = 0; steps < 12; steps += 1) {
      await world.clock.pass(1_000 + world.random() * 8_000);
      const one = living[Math.floor(world.random() * living.length)];
      const dice = world.random();
      if (one !== undefined && dice < 0.25 && living.length > 1) {
        one.kill();
        living.splice(living.indexOf(one), 1);
      } else if (one !== undefined && dice < 0.6) one.isCutOff = !one.isCutOff;
      else if (living.length < 4) {
        started += 1;
        living.push(world.start(`g${started}`));
      }
    }
    for (const gateway of living) gateway.isCutOff = false;
    world.lossRate = 0;
    await world.clock.until(() => isShared(...world.alive), 15_000);
    expectOneAtATime(world.acts);
  },
);
