import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BlobStore, openDirectoryBlobStore } from './blob-store.ts';
import { blobStoreContract, sha256Of } from './testing.ts';

const options = { maxBlobBytes: 1024 * 1024, cacheBytes: 10_000, maxCachedBlobBytes: 5_000 };
let directory: string;
let store: BlobStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-blobs-'));
  store = await openDirectoryBlobStore(directory, options);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const pathOf = (sha256: string) => join(directory, sha256.slice(0, 2), sha256);

describe('directory store', () => {
  blobStoreContract(() => ({
    store,
    maxBlobBytes: options.maxBlobBytes,
    directory: join(directory, 'tmp'),
    reopen: () => openDirectoryBlobStore(directory, options),
    damage: (sha256) => writeFile(pathOf(sha256), 'damaged'),
  }));

  test('small blobs are served from memory, within the bound', async () => {
    const blobs = await Promise.all([...Array(4).keys()].map((n) => store.put(Buffer.alloc(4_000, n))));
    for (const { sha256 } of blobs) await store.get(sha256);
    for (const { sha256 } of blobs) await rm(pathOf(sha256));
    const kept = await Promise.allSettled(blobs.map(({ sha256 }) => store.get(sha256)));
    expect(kept.map((read) => read.status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  });

  test('a large blob is read from disk each time', async () => {
    const bytes = Buffer.alloc(6_000, 7);
    const { sha256 } = await store.put(bytes);
    expect(await store.get(sha256)).toEqual(bytes);
    expect(await store.get(sha256)).toEqual(bytes);
    await rm(pathOf(sha256));
    await expect(store.get(sha256)).rejects.toMatchObject({ code: 'NotFound' });
  });

  test('what a crash left is removed on opening, what is being written is not', async () => {
    await writeFile(join(directory, 'tmp', 'old'), 'half');
    await utimes(join(directory, 'tmp', 'old'), 0, 0);
    await writeFile(join(directory, 'tmp', 'new'), 'half');
    await openDirectoryBlobStore(directory, options);
    expect(await readdir(join(directory, 'tmp'))).toEqual(['new']);
  });

  test('a stray file among the installs is none', async () => {
    await store.addInstall('here');
    await writeFile(join(directory, 'installs', '.DS_Store'), '');
    expect(await store.installs()).toEqual(['here']);
  });

  test('no temporary file outlives its put', async () => {
    await store.put(Buffer.from('x'), sha256Of(Buffer.from('x')));
    await expect(store.put(Buffer.from('x'), sha256Of(Buffer.from('y')))).rejects.toThrow();
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
  });
});
