import { type BlobStore, openBlobStore } from '../blobs/blob-store.ts';
import type { Context } from './context.ts';

/** Where the code of functions is: the S3 store behind a cache on disk, or in local mode the directory. */
export function openBlobs({ config, teller }: Context): Promise<BlobStore> {
  return openBlobStore({
    s3: config.s3 === null ? null : { ...config.s3, forcePathStyle: true, credentials: null },
    dir: config.blobDir,
    maxBlobBytes: config.codeLimits.zippedBytes,
    cacheBytes: config.blobCacheBytes,
    onProblem: teller('blobs', 'the cache of the blob store is in trouble'),
  });
}
