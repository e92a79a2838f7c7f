import { expect, test } from '@jest/globals';
import { KubernetesError } from '@kappa/crds/client/errors';
import { findCondition } from '@kappa/crds/conditions';
import type { PoolObject } from '@kappa/crds/pool';
import type { PoolSummary } from '../observed.ts';
import { PoolMemory } from './memory.ts';
import { type PoolWorld, reconcilePool } from './reconcile.ts';
import { pacing } from './testing.ts';

const image = { namespace: 'default', reference: 'registry.example/cart@sha256:ab', memoryMiB: 128 };
const summary: PoolSummary = {
  name: 'image-1',
  uid: 'u',
  generation: 1,
  spec: { image, replicas: 1, minReplicas: 0, maxPods: 10, idleSeconds: 60 },
  status: undefined,
};

/** A pool without pods, on an API server that answers to each new one with `error`. */
function worldRefusing(error: Error, written: PoolObject['status'][]): PoolWorld {
  const memory = new PoolMemory(0);
  return {
    kubernetes: {
      create: () => Promise.reject(error),
      applyStatus: (_kind: unknown, { status }: { status: PoolObject['status'] }) => {
        written.push(status);
        return Promise.resolve();
      },
    } as unknown as PoolWorld['kubernetes'],
    find: () => ({ ...summary, status: written.at(-1) }),
    isUsed: () => true,
    imageOf: () => image,
    podsOf: () => [],
    orphanOf: () => null,
    memoryMiBOf: () => null,
    memoryOf: () => memory,
    runtimes: new Map(),
    settings: {
      namespace: 'kappa-functions',
      region: '',
      imagePrefix: '',
      imageSuffix: '',
      pullSecrets: [],
      priorityClass: '',
      maxUnpackedBytes: 1,
      agentImage: 'agent',
      tmp: { sizeMiB: 512, isInMemory: false },
    },
    gatewayKey: () => 'key',
    pacing,
    minReplicas: 0,
    nowMs: () => 60_000,
  };
}

test.each([
  ['a quota', new KubernetesError('POST pods: 403 Forbidden: exceeded quota', 403, 'Forbidden')],
  ['an admission rule', new KubernetesError('POST pods: 422 Invalid: exceeded quota', 422, 'Invalid')],
])('%s that takes no pod is told in the status, and the pod is tried again', async (_why, error) => {
  const written: PoolObject['status'][] = [];
  await expect(reconcilePool(summary.name, worldRefusing(error, written))).rejects.toBe(error);
  expect(findCondition(written[0]?.conditions, 'Started')).toMatchObject({
    status: 'Unknown',
    message: expect.stringContaining('exceeded quota'),
  });
});

test('a refusal is told once, whatever names and numbers it has: a change would be a reason to try again at once', async () => {
  const written: PoolObject['status'][] = [];
  for (const used of ['used: pods=9', 'used: pods=10']) {
    const error = new KubernetesError(`POST pods: 403 Forbidden: ${used}`, 403, 'Forbidden');
    await expect(reconcilePool(summary.name, worldRefusing(error, written))).rejects.toBe(error);
  }
  expect(written).toHaveLength(1);
});

test('an API server that is away says nothing about pods', async () => {
  const written: PoolObject['status'][] = [];
  const error = new KubernetesError('POST pods: no answer', 0, 'Unreachable');
  await expect(reconcilePool(summary.name, worldRefusing(error, written))).rejects.toBe(error);
  expect(written).toEqual([]);
});
