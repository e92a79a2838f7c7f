import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDirectoryBlobStore } from '@kappa/gateway/blobs';
import fc from 'fast-check';
import { type CollectedBlobs, collectBlobs } from './collect.ts';
import { History, KEEP_MS, pace, step } from './testing-history.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-collect-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('whatever happens between two calls of a round, nothing that is referred to is lost, and nothing else stays', async () => {
  let runs = 0;
  const property = fc.asyncProperty(fc.array(step, { maxLength: 150, size: 'max' }), pace, async (steps, paces) => {
    const store = await openDirectoryBlobStore(join(directory, `${runs++}`), { cacheBytes: 1, maxCachedBlobBytes: 0 });
    const history = new History(store, steps, paces);
    await history.run();
    await history.settle();
    const left = [...(await Array.fromAsync(store.list())), ...(await Array.fromAsync(store.retired()))];
    const references = history.objects.references();
    expect(left.map(({ sha256 }) => sha256).filter((sha256) => !references.has(sha256))).toEqual([]);
  });
  await fc.assert(property, { numRuns: 100, endOnFailure: true }); // made smaller step by step, a history takes minutes
}, 120_000);

test('a process that leads no more, or was stopped since it asked, does nothing', async () => {
  const store = await openDirectoryBlobStore(directory);
  const { sha256 } = await store.put(Buffer.from('old'));
  const history = new History(store, [], [0]);
  history.nowMs = Date.now() + 2 * KEEP_MS;
  const notLeading = await collectBlobs({ ...history.collection(), isActing: () => false });
  expect([notLeading.ending.kind, await store.has(sha256)]).toEqual(['ended', true]);
  let askedMs = 0;
  const elapsedMs = () => (askedMs += 100_000);
  const stopped = await collectBlobs({ ...history.collection(), elapsedMs });
  expect([stopped.ending.kind, await store.has(sha256)]).toEqual(['ended', true]);
  expect((await collectBlobs(history.collection())).ending.kind).toBe('done');
  expect(await store.has(sha256)).toBe(false);
});

test('what cannot be brought back holds up nothing else', async () => {
  const store = await openDirectoryBlobStore(directory);
  const [stuck, wanted, old] = [
    await store.put(Buffer.from('stuck')),
    await store.put(Buffer.from('wanted')),
    await store.put(Buffer.from('old')),
  ];
  for (const { sha256 } of [stuck, wanted]) await store.retire(sha256);
  const history = new History(store, [], [0]);
  history.nowMs = Date.now() + 2 * KEEP_MS;
  for (const { sha256 } of [stuck, wanted])
    history.objects.stored.set(`functions/${sha256}`, { spec: { code: { zip: { sha256 } } } });
  const blobs: CollectedBlobs = {
    list: () => store.list(),
    retired: () => store.retired(),
    retire: (...call) => store.retire(...call),
    reinstate: (sha256) =>
      sha256 === stuck.sha256 ? Promise.reject(new Error('copy refused')) : store.reinstate(sha256),
    purge: (...call) => store.purge(...call),
  };
  const { ending } = await collectBlobs({ ...history.collection(), blobs });
  expect(ending).toEqual({ kind: 'failed', problem: new Error('copy refused') });
  const left = (await Array.fromAsync(store.list())).map(({ sha256 }) => sha256);
  expect(left).toEqual([wanted.sha256]);
  const retired = (await Array.fromAsync(store.retired())).map(({ sha256 }) => sha256);
  expect(retired.toSorted()).toEqual([stuck.sha256, old.sha256].toSorted());
});

test('when the API server does not answer, nothing happens', async () => {
  const store = await openDirectoryBlobStore(directory);
  const { sha256 } = await store.put(Buffer.from('old'));
  const history = new History(store, [], [0]);
  history.nowMs = Date.now() + 2 * KEEP_MS;
  const kubernetes = { page: () => Promise.reject(new Error('away')) };
  await expect(collectBlobs({ ...history.collection(), kubernetes })).rejects.toThrow('away');
  expect(await store.has(sha256)).toBe(true);
});
