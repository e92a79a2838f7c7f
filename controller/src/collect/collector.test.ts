import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDirectoryBlobStore } from '@kappa/gateway/blobs';
import { Registry } from 'prom-client';
import { controllerMetrics } from '../metrics.ts';
import { type CollectorOptions, startCollector } from './collector.ts';
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

/** Runs one round of an install on these blobs, and says what its metrics say then and what it told of. */
async function roundOf(
  blobs: CollectorOptions['blobs'],
  installId: string,
  keepMs = KEEP_MS,
  when: 'at once' | 'in time' = 'in time',
) {
  const registry = new Registry();
  const problems: unknown[] = [];
  const others: string[] = [];
  const ended = Promise.withResolvers<void>();
  const metrics = controllerMetrics(registry, () => ({}));
  const look = startCollector({
    kubernetes: objects(),
    blobs,
    keepMs,
    isActing: () => true,
    nowMs: () => Date.now() + 2 * KEEP_MS,
    elapsedMs: () => 0,
    metrics,
    onRemoved: () => undefined,
    onProblem: (problem) => problems.push(problem),
    installId: () => Promise.resolve(installId),
    onShared: (installs) => others.push(...installs),
    onRound: ended.resolve,
    every: (_periodMs, call) => when === 'in time' && call(),
  });
  if (when === 'at once') look();
  await ended.promise;
  const metricOf = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values ?? [];
  return {
    problems,
    others,
    removed: (await metricOf('kappa_controller_blobs_removed_total'))[0]?.value,
    removedBytes: (await metricOf('kappa_controller_blob_bytes_removed_total'))[0]?.value,
    results: (await metricOf('kappa_controller_blob_collections_total')).map(({ labels }) => labels['result']),
  };
}

test('what a round has removed counts, also when it fails then', async () => {
  const store = await openDirectoryBlobStore(directory);
  for (const n of [1, 2, 3]) await store.retire((await store.put(Buffer.from(`old ${n}`))).sha256);
  let purges = 0;
  const broken: CollectorOptions['blobs'] = {
    installs: () => store.installs(),
    addInstall: (install) => store.addInstall(install),
    list: () => store.list(),
    retired: () => store.retired(),
    retire: (...call) => store.retire(...call),
    reinstate: (sha256) => store.reinstate(sha256),
    purge: (...call) => (++purges === 3 ? Promise.reject(new Error('disk is gone')) : store.purge(...call)),
  };
  await roundOf(broken, 'here');
  expect(await roundOf(broken, 'here')).toEqual({
    problems: [new Error('disk is gone')],
    others: [],
    removed: 2,
    removedBytes: 10,
    results: ['failed'],
  });
});

test('a process that begins to act does not wait for the first period', async () => {
  const store = await openDirectoryBlobStore(directory);
  await roundOf(store, 'here', KEEP_MS, 'at once');
  expect(await store.installs()).toEqual(['here']);
});

test('of two installs with one store none removes code, and both say why', async () => {
  const [here, there] = [await openDirectoryBlobStore(directory), await openDirectoryBlobStore(directory)];
  const { sha256 } = await here.put(Buffer.from('code'));
  await Promise.all([roundOf(here, 'here'), roundOf(there, 'there')]);
  expect(await roundOf(here, 'here')).toMatchObject({ others: ['there'], results: ['shared'], problems: [] });
  expect(await roundOf(there, 'there')).toMatchObject({ others: ['here'], results: ['shared'], problems: [] });
  expect(await here.has(sha256)).toBe(true);
});

test('an install removes nothing before everybody can know that it is there', async () => {
  const store = await openDirectoryBlobStore(directory);
  const { sha256 } = await store.put(Buffer.from('code'));
  expect(await roundOf(store, 'here')).toMatchObject({ results: ['claimed'] });
  expect(await store.has(sha256)).toBe(true);
  expect(await roundOf(store, 'here')).toMatchObject({ results: ['done'] });
  expect(await store.has(sha256)).toBe(false);
});

test('who keeps all code says so to those who do not', async () => {
  const store = await openDirectoryBlobStore(directory);
  const { sha256 } = await store.put(Buffer.from('code'));
  await roundOf(store, 'here');
  expect(await roundOf(store, 'keeper', 0)).toMatchObject({ others: [], results: [], problems: [] });
  expect(await roundOf(store, 'here')).toMatchObject({ others: ['keeper'], results: ['shared'] });
  expect(await store.has(sha256)).toBe(true);
});
