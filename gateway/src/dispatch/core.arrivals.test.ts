import { describe, expect, test } from '@jest/globals';
import { makePod, makeTarget, startCore, type TestPod } from './testing.ts';

const hello = makeTarget();
const provisioned = makeTarget({ provisionedConcurrency: 2 });
const current = new Map([[provisioned.versionUid, provisioned]]);
const old = (name: string): TestPod => makePod(name);

/** A core after a restart: pods `o1` and `o2` are being dialled when the first view is complete, `p1`… are generic. */
function restarted(versionUid: string | null = 'uid-1') {
  const rig = startCore();
  const pods = [old('o1'), old('o2')] as const;
  for (const pod of pods) rig.core.arrivals.began(pod, versionUid);
  return { ...rig, pods };
}

describe('provisioned concurrency after a restart', () => {
  test.each<[labels: string, versionUid: string | null]>([
    ['claimed', 'uid-1'],
    ['generic, because labels come late', null],
  ])('pods that are labelled %s are adopted, no other one is claimed or asked for', (_labels, versionUid) => {
    const { core, pods, pod, effects, clock } = restarted(versionUid);
    core.setVersions(current);
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    clock.advance(2_000);
    for (const each of pods) {
      core.adopt(each, provisioned, 'Idle');
      core.arrivals.ended(each);
    }
    clock.advance(10_000);
    core.claims.remind();
    expect(effects.claims).toEqual([]);
    expect(effects.wanted.size).toBe(0);
    expect(core.census.totals.Idle).toBe(2);
  });

  test('what does not answer is claimed for when the last first dial is over', () => {
    const { core, pods, pod, effects } = restarted();
    core.setVersions(current);
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    core.adopt(pods[0], provisioned, 'Foreign');
    core.arrivals.ended(pods[0]);
    expect(effects.claims).toEqual([]);
    core.arrivals.ended(pods[1]);
    expect(effects.claims.map((slot) => slot.pod.name)).toEqual(['p1']);
  });

  test('is held for three seconds at most, and only once', () => {
    const { core, pod, effects, clock } = restarted();
    core.setVersions(current);
    pod('p1');
    clock.advance(2_999);
    expect(effects.claims).toEqual([]);
    clock.advance(1);
    expect(effects.claims.map((slot) => slot.pod.name)).toEqual(['p1']);
    expect(effects.wanted.get('nodejs24.x')).toBe(1);
    core.arrivals.began(old('late'), null);
    pod('p2');
    expect(effects.claims).toHaveLength(2);
  });

  test('is not held when no pod is known', () => {
    const { core, pod, effects } = startCore();
    pod('p1');
    core.setVersions(current);
    expect(effects.claims).toHaveLength(1);
  });

  test('is not claimed by a call before the first complete view', () => {
    const { pod, arrive, effects } = startCore();
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    arrive(provisioned);
    expect(effects.claims).toHaveLength(1);
  });
});

describe('a call after a restart', () => {
  test('waits for its claimed pod and runs there', () => {
    const { core, pods, pod, arrive, effects, clock } = restarted();
    pod('p1');
    arrive(hello);
    clock.advance(249);
    expect(effects.started).toEqual([]);
    core.adopt(pods[0], hello, 'Idle');
    core.arrivals.ended(pods[0]);
    expect(effects.started).toMatchObject([{ request: 'r1', pod: 'o1', start: 'warm' }]);
    expect(effects.wanted.size).toBe(0);
  });

  test('waits no longer than 250 ms', () => {
    const { pod, arrive, effects, clock } = restarted();
    pod('p1');
    arrive(hello);
    clock.advance(250);
    expect(effects.started).toMatchObject([{ pod: 'p1', start: 'cold' }]);
  });

  test('does not wait when its pod is busy or gone, nor for pods of another version', () => {
    const { core, pods, pod, arrive, effects } = restarted();
    for (const name of ['p1', 'p2', 'p3']) pod(name);
    arrive(makeTarget({ versionUid: 'other', functionObjectName: 'other' }));
    expect(effects.started).toMatchObject([{ request: 'r1', pod: 'p1' }]);
    arrive(hello);
    arrive(hello);
    core.adopt(pods[0], hello, 'Foreign');
    core.arrivals.ended(pods[0]);
    expect(effects.started[1]).toMatchObject({ request: 'r2', pod: 'p2' });
    core.arrivals.ended(pods[1]);
    expect(effects.started[2]).toMatchObject({ request: 'r3', pod: 'p3' });
  });

  test('beyond its claimed pods each one claims at once', () => {
    const { pod, arrive, effects } = restarted();
    pod('p1');
    for (let n = 0; n < 3; n += 1) arrive(hello);
    expect(effects.started).toHaveLength(1);
  });

  test('a pod that is dialled again is not waited for again', () => {
    const { core, pods, pod, arrive, effects } = restarted();
    for (const each of pods) {
      core.arrivals.ended(each);
      core.arrivals.began(each, 'uid-1');
    }
    pod('p1');
    arrive(hello);
    expect(effects.started).toHaveLength(1);
  });
});
