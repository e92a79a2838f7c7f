import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDirectoryBlobStore } from '@kappa/gateway/blobs';
import { Registry } from 'prom-client';
import { controllerMetrics } from '../metrics.ts';
import type { CollectedBlobs } from './collect.ts';
import { startCollector } from './collector.ts';
import { TestObjects } from './testing.ts';

const KEEP_MS = 3_600_000;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-collector-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const objects = (): TestObjects => {
  const objects = new TestObjects((call) => call());
  objects.stored.set('functions/always', { spec: { code: {} } });
  return objects;
};

/** Runs one round on these blobs, and says what its metrics say then and which problems it told of. */
async function roundOf(blobs: CollectedBlobs, nowMs: number) {
  const registry = new Registry();
  const problems: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  const metrics = controllerMetrics(registry, () => ({}));
  startCollector({
    kubernetes: objects(),
    blobs,
    keepMs: KEEP_MS,
    isActing: () => true,
    nowMs: () => nowMs,
    elapsedMs: () => 0,
    metrics,
    onRemoved: () => undefined,
    onProblem: (problem) => problems.push(problem),
    onRound: ended.resolve,
    every: (_periodMs, call) => call(),
  });
  await ended.promise;
  const metricOf = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values ?? [];
  return {
    problems,
    removed: (await metricOf('kappa_controller_blobs_removed_total'))[0]?.value,
    removedBytes: (await metricOf('kappa_controller_blob_bytes_removed_total'))[0]?.value,
    results: (await metricOf('kappa_controller_blob_collections_total')).map(({ labels }) => labels['result']),
  };
}

test('what a round has removed counts, also when it fails then', async () => {
  const store = await openDirectoryBlobStore(directory);
  for (const n of [1, 2, 3]) await store.retire((await store.put(Buffer.from(`old ${n}`))).sha256);
  let purges = 0;
  const broken: CollectedBlobs = {
    list: () => store.list(),
    retired: () => store.retired(),
    retire: (...call) => store.retire(...call),
    reinstate: (sha256) => store.reinstate(sha256),
    purge: (...call) => (++purges === 3 ? Promise.reject(new Error('disk is gone')) : store.purge(...call)),
  };
  expect(await roundOf(broken, Date.now() + 2 * KEEP_MS)).toEqual({
    problems: [new Error('disk is gone')],
    removed: 2,
    removedBytes: 10,
    results: ['failed'],
  });
});
