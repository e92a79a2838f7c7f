import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BlobError, type BlobStore, openDirectoryBlobStore } from './blob-store.ts';
import { openCachedBlobStore } from './cached-store.ts';
import { blobStoreContract, sha256Of } from './testing.ts';

const maxBlobBytes = 1024 * 1024;
let root: string;
let origin: BlobStore;
let isAway: boolean;
let fetched: string[];
let problems: unknown[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kappa-cache-'));
  origin = await openDirectoryBlobStore(join(root, 'origin'), { maxBlobBytes, cacheBytes: 1 });
  isAway = false;
  fetched = [];
  problems = [];
});
afterEach(() => rm(root, { recursive: true, force: true, maxRetries: 5 })); // a file may still be on its way into the cache

/** The origin, watched, and away when told. */
function faultyOrigin(): BlobStore {
  const reach = <R>(call: () => Promise<R>): Promise<R> =>
    isAway ? Promise.reject(new BlobError('Unavailable', 'away')) : call();
  return {
    put: (content, sha256) => reach(() => origin.put(content, sha256)),
    get: (sha256) => {
      fetched.push(sha256);
      return reach(() => origin.get(sha256));
    },
    has: (sha256) => reach(() => origin.has(sha256)),
    sizeOf: (sha256) => reach(() => origin.sizeOf(sha256)),
    delete: (sha256) => reach(() => origin.delete(sha256)),
    list: () => origin.list(),
    retire: (sha256, mayRemove) => reach(() => origin.retire(sha256, mayRemove)),
    retired: () => origin.retired(),
    reinstate: (sha256) => reach(() => origin.reinstate(sha256)),
    purge: (sha256, mayRemove) => reach(() => origin.purge(sha256, mayRemove)),
    installs: () => reach(() => origin.installs()),
    addInstall: (install) => reach(() => origin.addInstall(install)),
  };
}

const cacheDirectory = () => join(root, 'cache');
const cachedPath = (sha256: string) => join(cacheDirectory(), sha256.slice(0, 2), sha256);
const isCached = async (sha256: string): Promise<boolean> =>
  stat(cachedPath(sha256)).then(
    () => true,
    () => false,
  );
const open = (cacheBytes = 1_000_000, directory = cacheDirectory()): Promise<BlobStore> =>
  openCachedBlobStore(faultyOrigin(), {
    directory,
    cacheBytes,
    memoryBytes: 1,
    maxMemoryBlobBytes: 0,
    onProblem: (problem) => problems.push(problem),
  });

async function cached(store: BlobStore, bytes: Buffer): Promise<string> {
  const { sha256 } = await origin.put(bytes);
  await store.get(sha256);
  await until(() => isCached(sha256));
  return sha256;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('as a blob store', () => {
  let store: BlobStore;
  beforeEach(async () => {
    store = await open();
  });
  blobStoreContract(() => ({
    store,
    maxBlobBytes,
    directory: join(root, 'spool'),
    reopen: () => open(1_000_000, join(root, 'another')),
    damage: (sha256) => writeFile(join(root, 'origin', sha256.slice(0, 2), sha256), 'damaged'),
  }));
});

test('many gets of one digest are one fetch', async () => {
  const store = await open();
  const { sha256 } = await origin.put(randomBytes(10_000));
  await Promise.all([...Array(16).keys()].map(() => store.get(sha256)));
  expect(fetched).toEqual([sha256]);
});

test('what was read once is served while the origin is away, in memory or not, by the next process too', async () => {
  const bytes = randomBytes(10_000);
  const sha256 = await cached(await open(), bytes);
  isAway = true;
  const store = await open();
  expect(await store.get(sha256)).toEqual(bytes);
  expect(await store.sizeOf(sha256)).toBe(10_000);
  await expect(store.get('a'.repeat(64))).rejects.toMatchObject({ code: 'Unavailable', retryAfterSeconds: 1 });
  await expect(store.sizeOf('a'.repeat(64))).rejects.toMatchObject({ code: 'Unavailable' });
});

test('a damaged file is never served, and mended from the origin', async () => {
  const store = await open();
  const bytes = randomBytes(10_000);
  const sha256 = await cached(store, bytes);
  expect(await store.get(sha256)).toEqual(bytes);
  await writeFile(cachedPath(sha256), 'damaged');
  expect(await store.get(sha256)).toEqual(bytes);
  await until(async () => (await stat(cachedPath(sha256))).size === 10_000);
  expect(problems).toEqual([expect.objectContaining({ code: 'Corrupt' })]);
});

test('the directory stays within its bound; what was not read for longest goes', async () => {
  const store = await open(30_000);
  const shas: string[] = [];
  for (const n of [1, 2, 3]) shas.push(await cached(store, Buffer.alloc(10_000, n)));
  await store.get(shas[0] ?? '');
  shas.push(await cached(store, Buffer.alloc(10_000, 4)));
  await until(async () => !(await isCached(shas[1] ?? '')));
  expect(await Promise.all(shas.map(isCached))).toEqual([true, false, true, true]);
});

test('a smaller bound after a restart holds as well', async () => {
  const store = await open(30_000);
  const shas: string[] = [];
  for (const n of [1, 2, 3]) shas.push(await cached(store, Buffer.alloc(10_000, n)));
  await open(15_000);
  await until(async () => (await Promise.all(shas.map(isCached))).filter(Boolean).length === 1);
});

test('what is larger than the whole cache passes through', async () => {
  const store = await open(5_000);
  const bytes = randomBytes(10_000);
  const { sha256 } = await origin.put(bytes);
  expect(await store.get(sha256)).toEqual(bytes);
  expect(await store.get(sha256)).toEqual(bytes);
  expect(await isCached(sha256)).toBe(false);
});

test('a disk that cannot be used fails nothing', async () => {
  const store = await open(1_000_000, '/dev/full/none');
  const bytes = randomBytes(1000);
  const { sha256 } = await store.put(bytes);
  expect(await store.get(sha256)).toEqual(bytes);
  expect(problems).toHaveLength(1);
});

test('a disk that fails later fails nothing, and is told', async () => {
  const store = await open();
  await rm(cacheDirectory(), { recursive: true });
  await writeFile(cacheDirectory(), 'a file where a directory was');
  const bytes = randomBytes(1000);
  const { sha256 } = await store.put(bytes);
  expect(await store.get(sha256)).toEqual(bytes);
  await until(() => Promise.resolve(problems.length > 0));
  expect(await store.get(sha256Of(bytes))).toEqual(bytes);
});

test('a file of the cache is whole or not there', async () => {
  const store = await open();
  await cached(store, randomBytes(500_000));
  expect(await readdir(join(cacheDirectory(), 'tmp'))).toEqual([]);
});
