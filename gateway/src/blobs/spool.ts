import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BlobError } from './blob-error.ts';
import type { BlobDigest } from './blob-store.ts';

/** Where a stream waits, and how much of it. */
export interface SpoolOptions {
  /** Made when it is missing. */
  readonly directory: string;
  /** Longest stream, bytes. */
  readonly maxBytes: number;
  /** Streams up to this size are held in memory. Default 1 MiB: most code is smaller. */
  readonly memoryBytes?: number;
}

/** A stream that has been read to its end, so that its digest is known, and can be read again. */
export interface Spooled extends BlobDigest {
  /** The bytes once more; each call begins anew. */
  readonly content: () => Buffer | Readable;
  /** Removes the file, if there is one. */
  readonly discard: () => Promise<void>;
}

/**
 * Reads `content` to its end, into a file when it is large. A disk that is full or read-only fails nothing: the bytes
 * are then held in memory.
 *
 * @throws BlobError TooLarge; the stream's own error
 */
export async function spool(content: Readable, options: SpoolOptions): Promise<Spooled> {
  const { directory, maxBytes, memoryBytes = 1024 * 1024 } = options;
  const writer = new SpoolWriter(directory, memoryBytes);
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const piece of content) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) throw new BlobError('TooLarge', `blob is above ${maxBytes} bytes`);
      hash.update(piece);
      await writer.write(piece);
    }
    return { sha256: hash.digest('hex'), sizeBytes, content: await writer.end(), discard: () => writer.discard() };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** Holds pieces in memory until they are too many, then in a file; back in memory when the disk takes no more. */
class SpoolWriter {
  readonly #path: string;
  readonly #directory: string;
  readonly #memoryBytes: number;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #file: FileHandle | null = null;
  #isDiskUsable = true;

  constructor(directory: string, memoryBytes: number) {
    this.#path = join(directory, randomUUID());
    this.#directory = directory;
    this.#memoryBytes = memoryBytes;
  }

  async write(piece: Buffer): Promise<void> {
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes > this.#memoryBytes && this.#isDiskUsable) await this.#flush();
  }

  async end(): Promise<() => Buffer | Readable> {
    if (this.#file !== null) await this.#flush();
    if (this.#file === null) {
      const bytes = Buffer.concat(this.#pieces);
      return () => bytes;
    }
    await this.#close();
    return () => createReadStream(this.#path);
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#path, { force: true }).catch(() => undefined); // on a broken disk; who opens the directory next clears it
  }

  /** Pieces leave memory only when the file has them: a write that fails half-way loses nothing. */
  async #flush(): Promise<void> {
    const startBytes = (await this.#file?.stat())?.size ?? 0;
    try {
      if (this.#file === null) {
        await mkdir(this.#directory, { recursive: true });
        this.#file = await open(this.#path, 'wx', 0o600);
      }
      await this.#file.writeFile(Buffer.concat(this.#pieces));
      this.#pieces = [];
      this.#heldBytes = 0;
    } catch {
      this.#isDiskUsable = false;
      await this.#takeBack(startBytes);
    }
  }

  async #takeBack(writtenBytes: number): Promise<void> {
    if (writtenBytes > 0) this.#pieces.unshift((await readFile(this.#path)).subarray(0, writtenBytes));
    await this.discard();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}
