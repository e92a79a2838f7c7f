import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDirectoryBlobStore } from '@kappa/gateway/blobs';
import { resolveCode } from './resolve-code.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-resolve-code-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fetchCode = (): Promise<Buffer> => Promise.reject(new Error('nothing is fetched'));

test('code that was retired comes back for the function that refers to it again', async () => {
  const blobs = await openDirectoryBlobStore(directory);
  const sources = { blobs, fetchCode, maxZipBytes: 1_000 };
  const { sha256 } = await blobs.put(Buffer.from('a zip'));
  await blobs.retire(sha256);
  const resolved = await resolveCode({ zip: { sha256 } }, sources);
  expect(resolved).toEqual({ kind: 'resolved', sha256, sizeBytes: 5 });
  expect(await Array.fromAsync(blobs.retired())).toEqual([]);
});

test('code that is not there is the user’s to bring', async () => {
  const blobs = await openDirectoryBlobStore(directory);
  const resolved = await resolveCode({ zip: { sha256: 'a'.repeat(64) } }, { blobs, fetchCode, maxZipBytes: 1_000 });
  expect(resolved).toMatchObject({ kind: 'failed', reason: 'BlobMissing' });
});
