import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { BlobError, checkDigest, checkInstall, isInstall } from './blob-error.ts';
import type { BlobDigest, BlobEntry, BlobStore } from './blob-store.ts';
import type { Spooled } from './spool.ts';

/** Bounds of a directory store. */
export interface DirectoryOptions {
  /** Largest blob, bytes. Default 256 MiB. */
  readonly maxBlobBytes?: number;
  /** Memory for blobs that were read, bytes. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Larger blobs are not kept in memory. Default 8 MiB. */
  readonly maxCachedBlobBytes?: number;
  /** Whether a file is hashed at each read, not only at this process's first. Default false. */
  readonly checksEveryRead?: boolean;
}

const MIB = 1024 * 1024;
/** A temporary file that old was left by a crash: no put takes an hour. */
const ABANDONED_MS = 3_600_000;
/** Digests that are remembered as read and found good. */
const MAX_VERIFIED = 10_000;

/**
 * Blobs in `directory` as `ab/abcdef…`, retired ones as `retired/abcdef…`; several processes may share it. A put writes `tmp/<uuid>`, syncs it, then renames.
 * Makes the directory when it is missing and removes what a crash has left in `tmp`.
 */
export async function openDirectoryBlobStore(directory: string, options: DirectoryOptions = {}): Promise<BlobStore> {
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { recursive: true });
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    const modifiedMs = (await stat(path).catch(ignoreMissing))?.mtimeMs ?? 0;
    if (Date.now() - modifiedMs > ABANDONED_MS) await rm(path, { force: true });
  }
  return new DirectoryBlobStore(directory, options);
}

class DirectoryBlobStore implements BlobStore {
  readonly #directory: string;
  readonly #maxBlobBytes: number;
  readonly #maxCachedBlobBytes: number;
  readonly #checksEveryRead: boolean;
  readonly #cache: LRUCache<string, Buffer>;
  /** Digests whose file was read once in this process and was right: not hashed again. */
  readonly #verified = new LRUCache<string, true>({ max: MAX_VERIFIED });
  /** Reads under way: callers of the same digest share one. */
  readonly #reads = new Map<string, Promise<Buffer>>();

  constructor(
    directory: string,
    {
      maxBlobBytes = 256 * MIB,
      cacheBytes = 64 * MIB,
      maxCachedBlobBytes = 8 * MIB,
      checksEveryRead = false,
    }: DirectoryOptions,
  ) {
    this.#checksEveryRead = checksEveryRead;
    this.#directory = directory;
    this.#maxBlobBytes = maxBlobBytes;
    this.#maxCachedBlobBytes = maxCachedBlobBytes;
    this.#cache = new LRUCache({ maxSize: cacheBytes, sizeCalculation: (blob) => Math.max(1, blob.length) });
  }

  async put(content: Buffer | Readable | Spooled, expectedSha256?: string): Promise<BlobDigest> {
    if (expectedSha256 !== undefined) checkDigest(expectedSha256);
    const temporary = join(this.#directory, 'tmp', randomUUID());
    try {
      const digest = await this.#write(temporary, content);
      if (expectedSha256 !== undefined && digest.sha256 !== expectedSha256) {
        throw new BlobError('DigestMismatch', `expected sha256 ${expectedSha256}, got ${digest.sha256}`);
      }
      await mkdir(join(this.#directory, digest.sha256.slice(0, 2)), { recursive: true });
      await rename(temporary, this.#path(digest.sha256));
      await syncDirectory(join(this.#directory, digest.sha256.slice(0, 2)));
      this.#verified.delete(digest.sha256);
      return digest;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  get(sha256: string): Promise<Buffer> {
    const cached = this.#cache.get(sha256);
    if (cached !== undefined) return Promise.resolve(cached);
    let read = this.#reads.get(sha256);
    if (read === undefined) {
      read = this.#read(sha256).finally(() => this.#reads.delete(sha256));
      this.#reads.set(sha256, read);
    }
    return read;
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.sizeOf(sha256)) !== null;
  }

  async sizeOf(sha256: string): Promise<number | null> {
    checkDigest(sha256);
    return (await stat(this.#path(sha256)).catch(ignoreMissing))?.size ?? null;
  }

  async delete(sha256: string): Promise<void> {
    checkDigest(sha256);
    this.#cache.delete(sha256);
    this.#verified.delete(sha256);
    await rm(this.#path(sha256), { force: true });
  }

  async *list(): AsyncIterable<BlobEntry> {
    for await (const folder of await opendir(this.#directory)) {
      if (!folder.isDirectory() || !/^[0-9a-f]{2}$/.test(folder.name)) continue;
      for (const sha256 of await readdir(join(this.#directory, folder.name))) {
        const found = await stat(this.#path(sha256)).catch(ignoreMissing);
        if (found !== undefined) yield { sha256, sizeBytes: found.size, modifiedMs: found.mtimeMs };
      }
    }
  }

  async retire(sha256: string, mayRemove = always): Promise<boolean> {
    checkDigest(sha256);
    const now = new Date();
    await mkdir(join(this.#directory, RETIRED), { recursive: true });
    if (!mayRemove()) return false;
    await utimes(this.#path(sha256), now, now).catch(ignoreMissing); // first: once it has moved, its time says since when it is retired
    await rename(this.#path(sha256), this.#retiredPath(sha256)).catch(ignoreMissing);
    return true;
  }

  async *retired(): AsyncIterable<BlobEntry> {
    for (const sha256 of (await readdir(join(this.#directory, RETIRED)).catch(ignoreMissing)) ?? []) {
      const found = await stat(this.#retiredPath(sha256)).catch(ignoreMissing);
      if (found !== undefined) yield { sha256, sizeBytes: found.size, modifiedMs: found.mtimeMs };
    }
  }

  async reinstate(sha256: string): Promise<void> {
    checkDigest(sha256);
    const now = new Date();
    await utimes(this.#retiredPath(sha256), now, now).catch(ignoreMissing); // as if it had been put now
    await mkdir(join(this.#directory, sha256.slice(0, 2)), { recursive: true });
    await rename(this.#retiredPath(sha256), this.#path(sha256)).catch(ignoreMissing);
  }

  async purge(sha256: string, mayRemove = always): Promise<boolean> {
    checkDigest(sha256);
    if (!mayRemove()) return false;
    await rm(this.#retiredPath(sha256), { force: true });
    return true;
  }

  async installs(): Promise<readonly string[]> {
    const names = await readdir(join(this.#directory, INSTALLS)).catch(ignoreMissing);
    return (names ?? []).filter(isInstall);
  }

  async addInstall(install: string): Promise<void> {
    checkInstall(install);
    await mkdir(join(this.#directory, INSTALLS), { recursive: true });
    await writeFile(join(this.#directory, INSTALLS, install), install);
    await syncDirectory(join(this.#directory, INSTALLS));
  }

  async #write(path: string, content: Buffer | Readable | Spooled): Promise<BlobDigest> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const piece of piecesOf(content)) {
        sizeBytes += piece.length;
        if (sizeBytes > this.#maxBlobBytes)
          throw new BlobError('TooLarge', `blob is above ${this.#maxBlobBytes} bytes`);
        hash.update(piece);
        await file.writeFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return { sha256: hash.digest('hex'), sizeBytes };
  }

  async #read(sha256: string): Promise<Buffer> {
    checkDigest(sha256);
    const file = await this.#open(sha256);
    if (file === undefined) throw new BlobError('NotFound', `no blob ${sha256}`);
    try {
      const blob = await this.#readChecked(file, sha256);
      if (blob.length <= this.#maxCachedBlobBytes) this.#cache.set(sha256, blob);
      return blob;
    } finally {
      await file.close();
    }
  }

  async #readChecked(file: FileHandle, sha256: string): Promise<Buffer> {
    const hash = this.#verified.has(sha256) ? null : createHash('sha256');
    const bytes = await readInPieces(file, (piece) => hash?.update(piece));
    if (hash === null) return bytes;
    if (hash.digest('hex') !== sha256) throw new BlobError('Corrupt', `blob ${sha256} is damaged: put it again`);
    if (!this.#checksEveryRead) this.#verified.set(sha256, true);
    return bytes;
  }

  /** Retired or not; between the two looks it may have been reinstated. */
  async #open(sha256: string): Promise<FileHandle | undefined> {
    for (const path of [this.#path(sha256), this.#retiredPath(sha256), this.#path(sha256)]) {
      const file = await open(path).catch(ignoreMissing);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  #path(sha256: string): string {
    return join(this.#directory, sha256.slice(0, 2), sha256);
  }

  #retiredPath(sha256: string): string {
    return join(this.#directory, RETIRED, sha256);
  }
}

/** Folder of retired blobs; no digest begins like that. */
const RETIRED = 'retired';
/** Folder of the names of installs whose code is here. */
const INSTALLS = 'installs';

const always = (): boolean => true;

function piecesOf(content: Buffer | Readable | Spooled): AsyncIterable<Buffer> | readonly Buffer[] {
  const bytes = content instanceof Readable || Buffer.isBuffer(content) ? content : content.content();
  return bytes instanceof Readable ? bytes : [bytes];
}

/** What is read, and hashed, in one go: well under a millisecond. */
const PIECE_BYTES = 256 * 1024;

/** So that a large blob does not hold up the event loop, neither by its hash nor by putting its pieces together. */
async function readInPieces(file: FileHandle, onPiece: (piece: Buffer) => void): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, Math.min(PIECE_BYTES, size - at), at);
    if (bytesRead === 0) break; // somebody has cut it: the digest will not be right
    onPiece(bytes.subarray(at, at + bytesRead));
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function ignoreMissing(error: unknown): undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
