import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { BlobError, checkDigest } from './blob-error.ts';
import type { BlobDigest, BlobEntry, BlobStore } from './blob-store.ts';
import { openDirectoryBlobStore } from './directory-store.ts';
import type { Spooled } from './spool.ts';

/** Bounds of a cache. */
export interface CacheOptions {
  /** Made when it is missing; of this process alone. */
  readonly directory: string;
  /** Bytes on disk; what was not read for longest goes first. */
  readonly cacheBytes: number;
  /** Memory for blobs, bytes. Default 64 MiB. */
  readonly memoryBytes?: number;
  /** Larger blobs are not kept in memory. Default 8 MiB. */
  readonly maxMemoryBlobBytes?: number;
  /** Hears what goes wrong with the disk; it fails no call. Decides about logging. */
  readonly onProblem: (problem: unknown) => void;
}

const MIB = 1024 * 1024;

/**
 * Reads go to memory, then to the directory, then to the origin; so what was read once is there while the origin is away. Writes,
 * listings and questions go to the origin; only when it does not answer the questions are answered from the cache. The cache fails
 * open: a damaged file is fetched anew, a disk that is full or gone costs speed, not calls.
 */
export async function openCachedBlobStore(origin: BlobStore, options: CacheOptions): Promise<BlobStore> {
  const { directory, cacheBytes, onProblem } = options;
  const disk = await openDisk(directory, onProblem);
  const store = new CachedBlobStore(origin, disk, options);
  if (disk === null) return store;
  const entries = await Array.fromAsync(disk.list());
  entries.sort((a, b) => a.modifiedMs - b.modifiedMs);
  for (const { sha256, sizeBytes } of entries) {
    if (sizeBytes > cacheBytes) await disk.delete(sha256);
    else store.remember(sha256, sizeBytes);
  }
  return store;
}

/** Null when the directory cannot be used: then memory is the only cache. */
async function openDisk(directory: string, onProblem: (problem: unknown) => void): Promise<BlobStore | null> {
  try {
    return await openDirectoryBlobStore(directory, { cacheBytes: 1, maxCachedBlobBytes: 0, checksEveryRead: true });
  } catch (error) {
    onProblem(error);
    return null;
  }
}

class CachedBlobStore implements BlobStore {
  readonly #origin: BlobStore;
  readonly #disk: BlobStore | null;
  readonly #onProblem: (problem: unknown) => void;
  readonly #maxMemoryBlobBytes: number;
  readonly #memory: LRUCache<string, Buffer>;
  /** Size by digest of what is, or is about to be, on disk. Its sum is the bound. */
  readonly #onDisk: LRUCache<string, number>;
  /** Reads under way: callers of the same digest share one. */
  readonly #reads = new Map<string, Promise<Buffer>>();

  constructor(origin: BlobStore, disk: BlobStore | null, options: CacheOptions) {
    const { cacheBytes, memoryBytes = 64 * MIB, maxMemoryBlobBytes = 8 * MIB, onProblem } = options;
    this.#origin = origin;
    this.#disk = disk;
    this.#onProblem = onProblem;
    this.#maxMemoryBlobBytes = maxMemoryBlobBytes;
    this.#memory = new LRUCache({ maxSize: memoryBytes, sizeCalculation: (blob) => Math.max(1, blob.length) });
    this.#onDisk = new LRUCache({
      maxSize: cacheBytes,
      sizeCalculation: (sizeBytes) => Math.max(1, sizeBytes),
      dispose: (_sizeBytes, sha256, reason) => {
        if (reason === 'evict') void this.#disk?.delete(sha256).catch(this.#onProblem);
      },
    });
  }

  /** A file that was there when the store was opened; later ones are younger. */
  remember(sha256: string, sizeBytes: number): void {
    this.#onDisk.set(sha256, sizeBytes);
  }

  async put(content: Buffer | Readable | Spooled, expectedSha256?: string): Promise<BlobDigest> {
    return this.#origin.put(content, expectedSha256);
  }

  get(sha256: string): Promise<Buffer> {
    const held = this.#memory.get(sha256);
    if (held !== undefined) return Promise.resolve(held);
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
    try {
      return await this.#origin.sizeOf(sha256);
    } catch (error) {
      const known = isUnavailable(error) ? this.#onDisk.peek(sha256) : undefined;
      if (known === undefined) throw error;
      return known;
    }
  }

  async delete(sha256: string): Promise<void> {
    await this.#origin.delete(sha256);
    await this.#forget(sha256);
  }

  list(): AsyncIterable<BlobEntry> {
    return this.#origin.list();
  }

  retire(sha256: string, mayRemove?: () => boolean): Promise<boolean> {
    return this.#origin.retire(sha256, mayRemove);
  }

  retired(): AsyncIterable<BlobEntry> {
    return this.#origin.retired();
  }

  reinstate(sha256: string): Promise<void> {
    return this.#origin.reinstate(sha256);
  }

  async purge(sha256: string, mayRemove?: () => boolean): Promise<boolean> {
    const isGone = await this.#origin.purge(sha256, mayRemove);
    if (isGone) await this.#forget(sha256);
    return isGone;
  }

  installs(): Promise<readonly string[]> {
    return this.#origin.installs();
  }

  addInstall(install: string): Promise<void> {
    return this.#origin.addInstall(install);
  }

  /** Copies of other processes go when something else needs their room. */
  async #forget(sha256: string): Promise<void> {
    this.#memory.delete(sha256);
    this.#onDisk.delete(sha256);
    await this.#disk?.delete(sha256).catch(this.#onProblem);
  }

  async #read(sha256: string): Promise<Buffer> {
    checkDigest(sha256);
    const blob = (await this.#readDisk(sha256)) ?? (await this.#fetch(sha256));
    if (blob.length <= this.#maxMemoryBlobBytes) this.#memory.set(sha256, blob);
    return blob;
  }

  async #readDisk(sha256: string): Promise<Buffer | null> {
    if (this.#disk === null || this.#onDisk.get(sha256) === undefined) return null;
    try {
      return await this.#disk.get(sha256);
    } catch (error) {
      this.#onDisk.delete(sha256);
      this.#onProblem(error);
      return null;
    }
  }

  async #fetch(sha256: string): Promise<Buffer> {
    const blob = await this.#origin.get(sha256);
    void this.#keep(sha256, blob); // the caller does not wait for the disk
    return blob;
  }

  async #keep(sha256: string, blob: Buffer): Promise<void> {
    if (this.#disk === null) return;
    this.#onDisk.set(sha256, blob.length); // makes room first
    if (!this.#onDisk.has(sha256)) return; // larger than the whole cache
    try {
      await this.#disk.put(blob, sha256);
      if (!this.#onDisk.has(sha256)) await this.#disk.delete(sha256); // was displaced or deleted meanwhile
    } catch (error) {
      this.#onDisk.delete(sha256);
      this.#onProblem(error);
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof BlobError && error.code === 'Unavailable';
}
