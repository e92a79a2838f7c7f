import { expect, test } from '@jest/globals';
import { idlePods } from './idle-pods.ts';
import { makePod, makeTarget, startCore, type TestPod, testError } from './testing.ts';
import type { Target } from './types.ts';

/** Three at once in a pod. */
const target = makeTarget({ perInstance: 3, idleTimeoutMs: 1_000 });
const wide = (name: string): TestPod => ({ ...makePod(name), takesSeveral: true });

/** A core whose pool has pods of that name. */
function start(pods: readonly string[], called: Target = target) {
  const all = startCore();
  for (const name of pods) all.core.claims.podReady(wide(name));
  const version = all.core.census.version(called);
  const counts = () => Object.fromEntries(Object.entries(version.counts).filter(([, count]) => count > 0));
  const slots = (state: string) => [...version.slots].filter((slot) => slot.state === state);
  const confirm = (pod: string) => all.core.confirmed(all.slotOf(pod));
  return { ...all, version, counts, slots, confirm };
}

test('calls that come at once get one pod for each three of them', () => {
  const { arrive, confirm, counts, effects } = start(['p1', 'p2', 'p3', 'p4']);
  for (let n = 0; n < 5; n += 1) arrive(target);
  expect(effects.claims.map((slot) => slot.pod.name)).toHaveLength(2);
  for (const { pod } of [...effects.claims]) confirm(pod.name);
  expect(counts()).toEqual({ Starting: 2, Busy: 3, Idle: 1 });
  arrive(target);
  expect(effects.claims).toHaveLength(2);
  arrive(target);
  expect(effects.claims).toHaveLength(3);
});

test('a pod that takes one at a time brings one slot, whatever the function says', () => {
  const { arrive, core, effects, version } = start([]);
  core.claims.podReady(makePod('old-1'));
  core.claims.podReady(makePod('old-2'));
  arrive(target);
  arrive(target);
  expect([effects.claims.length, version.slots.size]).toEqual([2, 2]);
});

test('a cap counts executions, not pods', () => {
  const capped = makeTarget({ perInstance: 3, reservedConcurrency: 4 });
  const { arrive, confirm, counts, effects } = start(['p1', 'p2', 'p3'], capped);
  for (let n = 0; n < 4; n += 1) arrive(capped);
  for (const { pod } of [...effects.claims]) confirm(pod.name);
  expect(counts()).toEqual({ Starting: 2, Busy: 2, Idle: 2 });
  expect(() => arrive(capped)).toThrow('Rate Exceeded');
});

test('a pod is idle when all of its slots are, and then goes as a whole', () => {
  const { arrive, clock, confirm, core, counts, effects, slots, tick, version } = start(['p1']);
  for (let n = 0; n < 2; n += 1) arrive(target);
  confirm('p1');
  const [busy] = slots('Busy');
  const [cold] = slots('Starting');
  if (busy === undefined || cold === undefined) throw new Error('two run');
  core.answered(cold);
  core.reported(cold, true);
  clock.advance(5_000);
  tick();
  expect([idlePods(version), counts()]).toEqual([[], { Busy: 1, Idle: 2 }]);
  core.answered(busy);
  core.reported(busy, true);
  clock.advance(500);
  tick();
  expect(counts()).toEqual({ Idle: 3 });
  clock.advance(600);
  tick();
  expect(counts()['Idle']).toBeUndefined();
  expect(effects.released.map(({ name }) => name)).toEqual(['p1']);
});

test('a pod of which one slot is lost takes nothing more; what else runs there goes on, and the pod counts as one failure', () => {
  const { arrive, confirm, core, counts, effects, slots, version } = start(['p1', 'p2']);
  for (let n = 0; n < 2; n += 1) arrive(target);
  confirm('p1');
  const [cold] = slots('Starting');
  const [busy] = slots('Busy');
  if (busy === undefined || cold === undefined) throw new Error('two run');
  core.answered(cold);
  core.reported(cold, false);
  expect(counts()).toMatchObject({ Busy: 1 });
  expect(counts()['Idle']).toBeUndefined();
  core.answered(busy);
  core.reported(busy, false);
  expect(version.failures).toBe(1);
  expect(effects.log.filter((line) => line === 'init failed')).toHaveLength(1);
});

test('a claim that is lost takes its slots with it', () => {
  const { arrive, core, counts, slotOf, version } = start(['p1']);
  arrive(target);
  core.lost(slotOf('p1'), { mayRetry: true, error: testError, isSuspicious: false });
  expect([version.slots.size, counts()['Claiming'], version.queue.length]).toEqual([0, undefined, 1]);
});

test('of an adopted pod as many slots are Foreign as invocations run there', () => {
  const { core, counts, slots, effects, arrive } = start([]);
  core.adopt(wide('p1'), target, 'Idle', 2);
  expect(counts()).toEqual({ Foreign: 2, Idle: 1 });
  arrive(target);
  arrive(target);
  expect(effects.started).toHaveLength(1);
  const [foreign] = slots('Foreign');
  if (foreign !== undefined) core.freed(foreign);
  expect(effects.started).toHaveLength(2);
});
