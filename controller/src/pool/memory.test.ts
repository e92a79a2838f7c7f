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
  isTerminating: false,
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
