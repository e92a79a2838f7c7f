import type { Readable } from 'node:stream';
import type { Spooled } from './spool.ts';

/*
 * The door of the blob store: code and other immutable bytes by their sha256. The gateway and the controller share one.
 */
export { BlobError, type BlobErrorCode, checkDigest } from './blob-error.ts';
export { type DirectoryOptions, openDirectoryBlobStore } from './directory-store.ts';
export { type BlobStoreConfig, openBlobStore, type S3Config } from './open-blob-store.ts';
export { Spool, type Spooled, type SpoolOptions, spool, spooledInMemory } from './spool.ts';

/** Which bytes, and how many. */
export interface BlobDigest {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** One entry of a listing. */
export interface BlobEntry extends BlobDigest {
  /** When it was last put, epoch milliseconds. */
  readonly modifiedMs: number;
}

/**
 * Content-addressed, immutable bytes. A blob is either wholly there or not at all, whoever crashes when, and putting the
 * same bytes twice, also at the same time, is harmless and repairs a damaged copy.
 *
 * A blob goes in two steps, so that one that somebody puts or refers to meanwhile is not lost: `retire` takes it out of the way, `purge` ends
 * it, much later. Between the two who asks whether it is there is told no (and puts it anew), who reads it still gets it.
 */
export interface BlobStore {
  /**
   * Stores `content` durably.
   * @param content what was spooled is not hashed again where the store itself checks it
   * @param expectedSha256 what the caller believes to put; nothing is stored when it is something else
   * @throws BlobError BadDigest, DigestMismatch, TooLarge, Unavailable; the stream's own error
   */
  put(content: Buffer | Readable | Spooled, expectedSha256?: string): Promise<BlobDigest>;
  /**
   * The bytes, whole, checked against the digest; those of a retired blob, too. The buffer may be shared with other callers: do not change it.
   * @throws BlobError NotFound, Corrupt, BadDigest, Unavailable
   */
  get(sha256: string): Promise<Buffer>;
  /** Whether it is there; does not read it. @throws BlobError BadDigest, Unavailable */
  has(sha256: string): Promise<boolean>;
  /** Its size in bytes, or null when it is not there; does not read it. @throws BlobError BadDigest, Unavailable */
  sizeOf(sha256: string): Promise<number | null>;
  /** Removes it; one that is not there is fine. @throws BlobError BadDigest, Unavailable */
  delete(sha256: string): Promise<void>;
  /** Everything that is there, in no order. @throws BlobError Unavailable */
  list(): AsyncIterable<BlobEntry>;
  /**
   * Takes it out of the way; one that is not there is fine.
   * @param mayRemove asked at the last moment before anything is taken away, at each try; false = it stays. Default: always
   * @returns false when `mayRemove` has said so
   * @throws BlobError BadDigest, Unavailable
   */
  retire(sha256: string, mayRemove?: () => boolean): Promise<boolean>;
  /** What was retired, with `modifiedMs` = when. A store may keep the copy of what was reinstated. @throws BlobError Unavailable */
  retired(): AsyncIterable<BlobEntry>;
  /** Undoes `retire`: it is there again; one that was not retired is fine. @throws BlobError BadDigest, Unavailable */
  reinstate(sha256: string): Promise<void>;
  /**
   * Ends the retired copy; one that was not retired is fine, and what was put meanwhile stays. Only for what was retired long ago, and is not there.
   * @param mayRemove as of `retire`
   * @returns false when `mayRemove` has said so
   * @throws BlobError BadDigest, Unavailable
   */
  purge(sha256: string, mayRemove?: () => boolean): Promise<boolean>;
  /** Installs that have said that their code is here, in no order. @throws BlobError Unavailable */
  installs(): Promise<readonly string[]>;
  /**
   * Says that the code of this install is here; more than once is fine.
   * @param install at most 64 letters, digits and hyphens
   * @throws BlobError Unavailable
   */
  addInstall(install: string): Promise<void>;
}
