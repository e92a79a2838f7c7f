import { describe, expect, test } from '@jest/globals';
import { seeded, World } from './testing-world.ts';

const SEEDS = Number(process.env['KAPPA_RING_SEEDS'] ?? 6);

type Names = { readonly count: () => string };
type Disturbance = (world: World, name: string, names: readonly string[], fresh: Names) => void;

const disturbances: readonly Disturbance[] = [
  (world, name) => world.pause(name, 100 + world.random() * 4000),
  (world, name) => {
    world.kill(name);
    world.at(world.random() * 3000, () => world.start(name));
  },
  (world, name, names) => {
    const link = `${name}>${names[Math.floor(world.random() * names.length)]}`;
    world.cut.add(link);
    world.at(world.random() * 6000, () => world.cut.delete(link));
  },
  (world, name, names) => {
    for (const each of names) world.cut.add(`${name}>${each}`).add(`${each}>${name}`);
    world.at(world.random() * 6000, () => world.cut.clear());
  },
  (world, _name, names, fresh) => {
    if (names.length < 6) world.add(fresh.count(), world.random() * 2000);
  },
  (world, name, names) => {
    if (names.length > 2) world.terminate(name, world.random() * 500, 500 + world.random() * 5000);
  },
  roll,
  (world, name) => {
    const gateway = world.gateways.get(name);
    if (gateway !== undefined) gateway.informerLagMs = world.random() < 0.5 ? 0 : world.random() * 8000;
  },
  (world) => world.cut.clear(),
  exile,
];

/** One random thing that happens to gateways. */
function disturb(world: World, fresh: Names): void {
  const names = [...world.truth].filter(([, isTerminating]) => !isTerminating).map(([name]) => name);
  const name = names[Math.floor(world.random() * names.length)];
  if (name !== undefined) disturbances[Math.floor(world.random() * disturbances.length)]?.(world, name, names, fresh);
}

/** A rolling update's step: one more, then one less. */
function roll(world: World, name: string, _names: readonly string[], fresh: Names): void {
  world.add(fresh.count(), world.random() * 500);
  world.at(1000 + world.random() * 2000, () => {
    if (world.truth.get(name) === false) world.terminate(name, world.random() * 300, world.random() * 4000);
  });
}

/** Some are cut off from all others and from Kubernetes, are replaced by new ones, and hear of it much later. */
function exile(world: World, _name: string, names: readonly string[], fresh: Names): void {
  const exiles = names.filter(() => world.random() < 0.5);
  if (exiles.length === names.length || exiles.length === 0) return;
  const durationMs = 2000 + world.random() * 8000;
  const isExile = (name: string): boolean => exiles.includes(name);
  world.split(isExile, durationMs);
  for (const name of exiles) {
    const gateway = world.gateways.get(name);
    if (gateway !== undefined) gateway.informerLagMs = durationMs;
    world.terminate(name, durationMs, world.random() * 2000);
    if (names.length < 6) world.add(fresh.count(), world.random() * 500);
  }
}

/** Ends all disturbances. */
function heal(world: World): void {
  world.calm();
  for (const gateway of world.gateways.values()) gateway.informerLagMs = 0;
  for (const [name, isTerminating] of world.truth) if (!isTerminating && !world.gateways.has(name)) world.start(name);
  if (world.truth.size === 0) world.add('g0'); // all of them were scaled away
  world.publish();
}

/** A minute of disturbances, then quiet. Every second one in a storm, every third one begins with a single gateway. */
function runHistory(seed: number): World {
  const pick = seeded(seed * 7919);
  const isStormy = seed % 2 === 0;
  const loss = pick() * (isStormy ? 0.4 : 0.1);
  const world = new World({ seed, drift: 0.1, delayMs: 1 + pick() * 150, loss, stray: pick() * 0.1 });
  let last = 3;
  const count = (): string => {
    last += 1;
    return `g${last}`;
  };
  for (const name of ['g1', 'g2', 'g3'].slice(seed % 3)) world.add(name, pick() * 300);
  world.run(3000);
  for (let at = 0; at < 40; at += 1) {
    disturb(world, { count });
    world.run(pick() * (isStormy ? 500 : 1500));
  }
  world.run(13_000); // what was begun ends
  heal(world);
  world.run(16_000); // ended members are believed after `goneMs`
  return world;
}

/** Takes the holder of a term away; milliseconds until another one has it. */
function recoverAfterLoss(seed: number): number {
  const world = new World({ seed: seed + 1, delayMs: 20 });
  const names = ['g1', 'g2', 'g3'];
  for (const name of names) world.add(name);
  world.run(5000);
  const [holder = ''] = world.holders('default/f0');
  expect(holder).not.toBe('');
  const startMs = world.nowMs;
  if (seed % 3 === 0) world.kill(holder);
  else if (seed % 3 === 1) world.pause(holder, 20_000);
  else for (const name of names) world.cut.add(`${name}>${holder}`).add(`${holder}>${name}`);
  let followedMs = Number.POSITIVE_INFINITY;
  world.run(3000, () => {
    const isFollowed = world.holders('default/f0').some((name) => name !== holder);
    if (isFollowed) followedMs = Math.min(followedMs, world.nowMs - startMs);
  });
  expect(world.problems).toEqual([]);
  return followedMs;
}

describe('terms in simulated worlds', () => {
  test(`at most one holder at any instant, and one again after it calmed down (${SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = runHistory(seed);
      const stuck = world.keys.filter((key) => world.holders(key).length !== 1);
      expect({ seed, problems: world.problems, stuck }).toEqual({ seed, problems: [], stuck: [] });
    }
  });

  test('a killed holder is followed within 3 s, a paused and a cut-off one too', () => {
    const recoveries = [...Array(40).keys()].map(recoverAfterLoss);
    expect(Math.max(...recoveries)).toBeLessThan(3000);
  });

  test('a rolling update takes each term for little more than the wait', () => {
    const world = new World({ seed: 5, delayMs: 5 });
    for (const name of ['g1', 'g2', 'g3']) world.add(name);
    world.run(5000);
    const lastHeldMs = new Map<string, number>(world.keys.map((key) => [key, world.nowMs]));
    let longestMs = 0;
    const watch = (): void => {
      for (const key of world.keys) {
        longestMs = Math.max(longestMs, world.nowMs - (lastHeldMs.get(key) ?? 0));
        if (world.holders(key).length === 1) lastHeldMs.set(key, world.nowMs);
      }
    };
    for (const [old, next] of [
      ['g1', 'g4'],
      ['g2', 'g5'],
      ['g3', 'g6'],
    ] as const) {
      // prettier-ignore
      world.add(next, 500);
      world.run(5000, watch);
      world.terminate(old, 50, 3000);
      world.run(5000, watch);
    }
    expect(world.problems).toEqual([]);
    expect(longestMs).toBeLessThan(2000);
  });

  test('a lone gateway holds everything, a second after its start and for ever', () => {
    const world = new World({ seed: 1 });
    world.add('g1');
    world.run(1500);
    expect(world.holders('default/f0')).toEqual(['g1']);
    const [gateway] = world.gateways.values();
    const number = gateway?.core.terms.number('default/f0', world.localMs(gateway));
    world.pause('g1', 5000);
    world.run(6000);
    expect(gateway?.core.terms.number('default/f0', gateway === undefined ? 0 : world.localMs(gateway))).toBe(number);
  });

  test('one that leaves gives its terms up at once, and others have them within half a second', () => {
    const world = new World({ seed: 3 });
    for (const name of ['g1', 'g2', 'g3']) world.add(name);
    world.run(5000);
    const [holder = ''] = world.holders('default/f0');
    const gateway = world.gateways.get(holder);
    if (gateway === undefined) throw new Error('nobody holds it');
    gateway.core.leave(world.localMs(gateway));
    expect(world.holders('default/f0')).toEqual([]);
    world.run(500);
    expect(world.holders('default/f0')).toHaveLength(1);
    expect(world.holders('default/f0')).not.toEqual([holder]);
  });

  test.each<
    [reason: string, old: readonly string[], exiles: readonly string[], fresh: readonly string[], durationMs: number]
  >([
    ['a majority, replaced by as many', ['g1', 'g2', 'g3'], ['g1', 'g2'], ['g4', 'g5'], 15_000],
    ['all of five but one', ['g1', 'g2', 'g3', 'g4', 'g5'], ['g1', 'g2', 'g3', 'g4'], ['g6', 'g7', 'g8', 'g9'], 15_000],
    ['the only one, by two, for less than they wait', ['g1'], ['g1'], ['g2', 'g3'], 9_000],
  ])('gateways cut off from all others and from Kubernetes: %s', (_reason, old, exiles, fresh, durationMs) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const world = new World({ seed, delayMs: 20 });
      for (const name of old) world.add(name);
      world.run(5000);
      world.split((name) => exiles.includes(name), durationMs);
      for (const name of exiles) {
        const gateway = world.gateways.get(name);
        if (gateway !== undefined) gateway.informerLagMs = durationMs;
        world.terminate(name, durationMs, 1000);
      }
      for (const name of fresh) world.add(name);
      world.run(durationMs / 2);
      // They have a majority of what they know: they go on, the new ones wait.
      expect(world.keys.map((key) => world.holders(key).every((name) => exiles.includes(name)))).not.toContain(false);
      world.run(durationMs / 2 + 15_000);
      expect(world.problems).toEqual([]);
      expect(world.keys.map((key) => world.holders(key).length)).toEqual(world.keys.map(() => 1));
    }
  });
});
