import { join } from 'node:path';
import type { BlobStore } from './blob-store.ts';
import { openCachedBlobStore } from './cached-store.ts';
import { openDirectoryBlobStore } from './directory-store.ts';

/** An S3-compatible store. */
export interface S3Config {
  /** For example `http://kappa-store:7070`; empty = Amazon's own for the region. */
  readonly endpoint: string;
  /** Made when it is missing. */
  readonly bucket: string;
  readonly region: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`: what most stores but Amazon's want. */
  readonly forcePathStyle: boolean;
  /** null = what the AWS SDK finds by itself: environment, web identity of the pod, instance. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** Which blob store, and its bounds. */
export interface BlobStoreConfig {
  /** null = the directory is the store. */
  readonly s3: S3Config | null;
  /** The store itself, or with S3 its cache. Made when it is missing. */
  readonly dir: string;
  /** Largest blob, bytes. */
  readonly maxBlobBytes: number;
  /** With S3: bytes of `dir` that the cache may use. Uploads under way need up to `maxBlobBytes` each on top. */
  readonly cacheBytes: number;
  /** With S3: hears what goes wrong with the cache, which fails no call; decides about logging. */
  readonly onProblem?: (problem: unknown) => void;
}

/**
 * Opens the store that the configuration names. With S3 no call is made yet: a store that is away delays no start. The AWS SDK is
 * loaded only with S3: it costs 33 MB and 0.1 s.
 */
export async function openBlobStore(config: BlobStoreConfig): Promise<BlobStore> {
  const { s3, dir, maxBlobBytes, cacheBytes, onProblem = () => undefined } = config;
  if (s3 === null) return openDirectoryBlobStore(dir, { maxBlobBytes });
  const { s3BlobStore } = await import('./s3-store.ts');
  const origin = s3BlobStore({ ...s3, maxBlobBytes, spoolDirectory: join(dir, 'tmp') });
  return openCachedBlobStore(origin, { directory: dir, cacheBytes, onProblem });
}
