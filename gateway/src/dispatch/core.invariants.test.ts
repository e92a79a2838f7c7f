import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Line } from './limit-queue.ts';
import { assumedColdMs, type ClaimNeed, planClaims } from './plan.ts';
import type { TestPod, TestRequest } from './testing.ts';
import { runs, World } from './testing-world.ts';

function checkCounts(world: World): void {
  const { census } = world.core;
  let queued = 0;
  for (const version of census.versions()) {
    const { counts, slots, owner } = version;
    const allocated = counts.Claiming + counts.Starting + counts.Idle + counts.Busy + counts.Finishing + counts.Foreign;
    expect(allocated).toBe(slots.size);
    expect(version.idle.inOrder().map((slot) => slot.state)).toEqual(new Array(counts.Idle).fill('Idle'));
    for (const slot of slots) expect(slot.request !== null).toBe(slot.state === 'Busy' || slot.state === 'Starting');
    let running = 0;
    for (const sibling of owner.versions) {
      running += sibling.counts.Starting + sibling.counts.Busy + sibling.counts.Finishing + sibling.counts.Foreign;
    }
    expect(owner.running).toBe(running);
    if (owner.cap !== null) expect(owner.running).toBeLessThanOrEqual(owner.cap);
    queued += version.queue.length;
  }
  expect(census.queuedCount - census.linedCount).toBe(queued);
  const unsettled = world.targetOf.size - world.settled.length - world.effects.failed.length;
  expect(census.outstanding).toBe(unsettled);
}

/** Who waits at a limit: as many as may, no longer than they may when a tick is just over, and nobody in vain. */
function checkLimits(world: World, isTick: boolean): void {
  const { census, gate } = world.core;
  const owners = new Set([...census.versions()].map(({ owner }) => owner));
  let lined = 0;
  for (const owner of owners) {
    const { account, line, cap } = owner;
    if (cap === null) expect(account.outstanding).toBeLessThanOrEqual(12);
    if (line === null) continue;
    const waiters = waitersOf(line);
    lined += waiters.length;
    const [first] = waiters;
    expect(first).toBeDefined();
    expect(waiters.length).toBeLessThanOrEqual(first?.version.target.limitQueue?.maxCount ?? 0);
    if (!isTick || first === undefined) continue;
    const { version, request, sinceMs } = first;
    expect(world.nowMs() - sinceMs).toBeLessThan(version.target.limitQueue?.maxWaitMs ?? 0);
    expect(waiters.map((waiter) => waiter.sinceMs)).toEqual(
      waiters.map((waiter) => waiter.sinceMs).sort((a, b) => a - b),
    );
    expect(gate.throttle(version, world.nowMs()) !== null || gate.isQueueFull(version, request.bytes)).toBe(true);
  }
  expect(census.linedCount).toBe(lined);
}

/** In their order, as they stay. */
function waitersOf({ waiters }: Line<TestPod, TestRequest>) {
  const all = [];
  for (let next = waiters.shift(); next !== undefined; next = waiters.shift()) all.push(next);
  for (const waiter of all) waiters.push(waiter);
  return all;
}

/** The queues are in the order of arrival, also after a request came back to one. */
function checkQueues(world: World): void {
  for (const version of world.core.census.versions()) {
    const waiting: TestRequest[] = [];
    for (let next = version.queue.shift(); next !== undefined; next = version.queue.shift()) waiting.push(next);
    for (const request of waiting) version.queue.push(request);
    const times = waiting.map((request) => request.arrivedMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }
}

/** What a version's claims depend on, as if nobody had waited for long: that is looked at again with each tick only. */
function needOf(version: ReturnType<World['core']['census']['version']>, world: World): ClaimNeed {
  const { owner, queue, meanMs } = version;
  const mayProvision = version.isCurrent && !world.core.arrivals.isHoldingProvisioning;
  const coldMs = version.coldMs === 0 && meanMs > 0 ? assumedColdMs : version.coldMs;
  return {
    ...version,
    queued: queue.length,
    cap: owner.cap,
    functionRunning: owner.running,
    provisioned: mayProvision ? version.target.provisionedConcurrency : 0,
    width: version.target.perInstance,
    coming: world.core.arrivals.coming(version.uid) * version.target.perInstance,
    pace: { meanMs, coldMs, waitedMs: 0, isStuck: false, claimed: 0 },
  };
}

function checkService(world: World): void {
  for (const version of world.core.census.versions()) {
    const { owner, queue, idle } = version;
    const hasRoom = owner.cap === null || owner.running < owner.cap;
    if (queue.length > 0 && hasRoom) expect(idle.length).toBe(0);
    const need = needOf(version, world);
    const wanted = planClaims(need, world.nowMs());
    const [pool] = world.core.claims.pools();
    if (wanted > 0 && version.failures === 0) expect(pool?.generic).toBe(0);
  }
  for (const pool of world.core.claims.pools()) {
    if (pool.missing > 0) expect(world.effects.wanted.get(pool.pool)).toBeGreaterThan(0);
  }
}

function checkOrder(world: World): void {
  const { started, failed } = world.effects;
  for (const [versionUid, arrived] of world.arrived) {
    const first = started.filter((each) => each.attempt === 1 && world.targetOf.get(each.request) === versionUid);
    const seen = new Set(first.map((each) => each.request));
    expect(first.map((each) => each.request)).toEqual(arrived.filter((name) => seen.has(name)));
  }
  const settled = [...world.settled, ...failed.map((each) => each.request)];
  expect(new Set(settled).size).toBe(settled.length);
}

/** No pod has more slots than its function takes invocations at once. */
function checkPods(world: World, perInstance: number): void {
  const counts = new Map<TestPod, number>();
  const all = world.slots('Claiming', 'Starting', 'Idle', 'Busy', 'Finishing', 'Adopting', 'Foreign', 'Lost');
  for (const { pod } of all) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(perInstance);
}

const widths = [[1], [3]] as const;

test.each(widths)(
  'whatever happens in whatever order, the rules of dispatch hold; %i at once in a pod',
  (perInstance) => {
    fc.assert(
      fc.property(runs(120), (steps) => {
        const world = new World(perInstance);
        for (const step of steps) {
          world.run(step);
          checkCounts(world);
          checkService(world);
          checkQueues(world);
          checkPods(world, perInstance);
          checkLimits(world, step.kind === 'time');
        }
        checkOrder(world);
      }),
      { numRuns: 400 },
    );
  },
);

test.each(widths)(
  'in the end every request is settled, every slot accounted for; %i at once in a pod',
  (perInstance) => {
    fc.assert(
      fc.property(runs(80), (steps) => {
        const world = new World(perInstance);
        for (const step of steps) world.run(step);
        for (let round = 0; round < 60; round += 1) world.finishAll();
        world.core.setVersions(new Map());
        world.run({ kind: 'time', ms: 20_000 });
        const { census } = world.core;
        expect([census.outstanding, census.queuedCount, census.queuedBytes, census.versionCount]).toEqual([0, 0, 0, 0]);
        expect({ ...census.totals, Gone: 0 }).toEqual({
          Claiming: 0,
          Starting: 0,
          Idle: 0,
          Busy: 0,
          Finishing: 0,
          Adopting: 0,
          Foreign: 0,
          Lost: 0,
          Gone: 0,
        });
        expect(world.settled.length + world.effects.failed.length).toBe(world.targetOf.size);
      }),
      { numRuns: 200 },
    );
  },
);
