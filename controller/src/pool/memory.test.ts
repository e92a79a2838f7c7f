import { expect, test } from '@jest/globals';
import type { PodSummary } from '../observed.ts';
import { PoolMemory } from './memory.ts';

const summary = (overrides: Partial<PodSummary> = {}): PodSummary => ({
  name: 'p-1',
  uid: 'u-1',
  pool: 'nodejs24.x',
  ordinal: 1,
  state: 'generic',
  phase: 'Running',
  isReady: true,
  isCutOff: false,
  imageProblem: null,
  startProblem: null,
  isTerminating: false,
  template: 't1',
  zone: '',
  limitMiB: 1024,
  resizeProblem: null,
  startedAtMs: 0,
  finishedAtMs: 0,
  claim: null,
  ...overrides,
});

test('a claim counts once, and for half a minute', () => {
  const memory = new PoolMemory(0);
  memory.sawPod(summary(), summary({ state: 'claimed' }), 1_000);
  memory.sawPod(summary({ state: 'claimed' }), summary({ state: 'claimed', phase: 'Succeeded' }), 2_000);
  expect(memory.claims(30_999)).toEqual({ recent: 1, lastAtMs: 1_000 });
  expect(memory.claims(31_000)).toEqual({ recent: 0, lastAtMs: 1_000 });
});

test('a claimed pod seen for the first time is no claim: the controller restarted', () => {
  const memory = new PoolMemory(0);
  memory.sawPod(null, summary({ state: 'claimed', ordinal: 9 }), 1_000);
  expect(memory.claims(1_000).recent).toBe(0);
  expect(memory.lastOrdinal).toBe(9);
});

test('failures of generic pods count until one gets ready', () => {
  const memory = new PoolMemory(0);
  const failed = summary({ phase: 'Failed', isReady: false });
  memory.sawPod(summary({ isReady: false }), failed, 1_000);
  memory.sawPod(failed, failed, 1_500);
  memory.sawPod(null, failed, 2_000);
  expect(memory.failures).toEqual({ count: 2, lastAtMs: 2_000 });
  memory.sawPod(summary({ isReady: false }), summary(), 3_000);
  expect(memory.failures.count).toBe(0);
});

test('only a rise of replicas is a raise', () => {
  const memory = new PoolMemory(5);
  memory.sawReplicas(4, 100);
  memory.sawReplicas(2, 200);
  expect(memory.raisedAtMs).toBe(100);
});

test.each<[reason: string, changes: readonly Partial<PodSummary>[], startedAtMs: number, want: number | null]>([
  ['a pod that starts is not unready', [{ isReady: false }, { isReady: false }], 0, null],
  ['a ready pod is not unready', [{ isReady: false }, {}], 0, null],
  ['a pod that was ready is, since it is not', [{}, { isReady: false }, { isReady: false }], 0, 200],
  ['a pod that got ready again is not', [{}, { isReady: false }, {}], 0, null],
  ['a pod on a node that was given up is, also for a new controller', [{ isReady: false, isCutOff: true }], 0, 100],
  [
    'a pod that had long been running is, also for a new controller',
    [{ isReady: false, startedAtMs: 1 }],
    40_000,
    40_100,
  ],
])('memory: %s', (_reason, changes, startedAtMs, want) => {
  const memory = new PoolMemory(0);
  let before: PodSummary | null = null;
  changes.forEach((change, index) => {
    const after = summary(change);
    memory.sawPod(before, after, startedAtMs + (index + 1) * 100);
    before = after;
  });
  expect(memory.unreadySinceMs('u-1')).toBe(want);
});

test('a pod is outdated since it was first seen so, and nothing is kept of one that is gone', () => {
  const memory = new PoolMemory(0);
  memory.sawPod(null, summary({ state: 'claimed' }), 1_000);
  expect(memory.outdatedSinceMs(summary(), 't1', 2_000)).toBe(null);
  expect(memory.outdatedSinceMs(summary(), 't2', 3_000)).toBe(3_000);
  expect(memory.outdatedSinceMs(summary(), 't2', 4_000)).toBe(3_000);
  expect(memory.claimedSinceMs('u-1')).toBe(1_000);
  memory.sawPod(summary(), null, 5_000);
  expect(memory.claimedSinceMs('u-1')).toBe(null);
});

test.each<[reason: string, changes: readonly Partial<PodSummary>[], want: number | null]>([
  ['a pod that runs is not told to end', [{}], null],
  ['one that is told is, since it was first seen so', [{}, { isTerminating: true }, { isTerminating: true }], 200],
  ['one whose node is given up cannot hear of it', [{ isTerminating: true, isCutOff: true, isReady: false }], null],
  [
    'and has its time from when the node is heard again',
    [{ isTerminating: true }, { isTerminating: true, isCutOff: true }, { isTerminating: true }],
    300,
  ],
])('told to end: %s', (_reason, changes, want) => {
  const memory = new PoolMemory(0);
  for (const [index, change] of changes.entries()) memory.sawPod(null, summary(change), (index + 1) * 100);
  expect(memory.terminatingSinceMs('u-1')).toBe(want);
  memory.sawHastened('u-1');
  expect(memory.terminatingSinceMs('u-1')).toBeNull();
});

test('an image is missed since the first time that its node said so, whatever it says in turns', () => {
  const memory = new PoolMemory(0);
  const imageProblem = { reason: 'InvalidImage', message: 'ErrImagePull: i/o timeout', isFinal: false } as const;
  const unpulled = summary({ isReady: false, phase: 'Pending', imageProblem });
  memory.sawPod(null, unpulled, 1_000);
  memory.sawPod(unpulled, summary({ ...unpulled, imageProblem: { ...imageProblem, message: 'other' } }), 2_000);
  expect(memory.imageProblemSinceMs('u-1')).toBe(1_000);
  memory.sawPod(unpulled, summary(), 3_000);
  expect(memory.imageProblemSinceMs('u-1')).toBeNull();
});
