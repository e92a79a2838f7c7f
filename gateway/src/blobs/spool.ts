import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BlobError } from './blob-error.ts';
import type { BlobDigest } from './blob-store.ts';

/** Where bytes wait, and how many of them. */
export interface SpoolOptions {
  /** Made when it is missing. */
  readonly directory: string;
  /** Most bytes. */
  readonly maxBytes: number;
  /** Up to this size they are held in memory. Default 1 MiB: most code is smaller. */
  readonly memoryBytes?: number;
}

/** Bytes that have all come, so that their digest is known, and that can be read again. */
export interface Spooled extends BlobDigest {
  /** The bytes once more; each call begins anew. */
  readonly content: () => Buffer | Readable;
  /** So many bytes from there on, fewer at the end. */
  readonly read: (at: number, bytes: number) => Promise<Buffer>;
  /** Removes the file, if there is one. More than once is fine. */
  readonly discard: () => Promise<void>;
}

/** Bytes that are in memory already. Hashes them at once: 1 MiB takes about a millisecond. */
export function spooledInMemory(bytes: Buffer): Spooled {
  return inMemory(bytes, createHash('sha256').update(bytes).digest('hex'));
}

function inMemory(bytes: Buffer, sha256: string): Spooled {
  return {
    sha256,
    sizeBytes: bytes.length,
    content: () => bytes,
    read: (at, count) => Promise.resolve(bytes.subarray(at, at + count)),
    discard: () => Promise.resolve(),
  };
}

/**
 * Reads `content` to its end. @see Spool
 *
 * @throws BlobError TooLarge; the stream's own error
 */
export async function spool(content: AsyncIterable<Buffer>, options: SpoolOptions): Promise<Spooled> {
  const kept = new Spool(options);
  try {
    for await (const piece of content) await kept.write(piece);
    return await kept.end();
  } catch (error) {
    await kept.discard();
    throw error;
  }
}

/**
 * Takes bytes piece by piece, hashes them as they come, and holds them in memory until they are too many, then in a file. A disk that is
 * full or read-only fails nothing: the bytes are then held in memory. Who makes one ends or discards it.
 */
export class Spool {
  readonly #path: string;
  readonly #options: Required<SpoolOptions>;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #file: FileHandle | null = null;
  #isDiskUsable = true;

  constructor({ memoryBytes = 1024 * 1024, ...options }: SpoolOptions) {
    this.#path = join(options.directory, randomUUID());
    this.#options = { ...options, memoryBytes };
  }

  /** @throws BlobError TooLarge */
  async write(piece: Buffer): Promise<void> {
    const { maxBytes, memoryBytes } = this.#options;
    this.#sizeBytes += piece.length;
    if (this.#sizeBytes > maxBytes) throw new BlobError('TooLarge', `blob is above ${maxBytes} bytes`);
    this.#hash.update(piece);
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes > memoryBytes && this.#isDiskUsable) await this.#flush();
  }

  /** No more pieces come. */
  async end(): Promise<Spooled> {
    if (this.#file !== null) await this.#flush();
    const sha256 = this.#hash.digest('hex');
    if (this.#file === null) return inMemory(Buffer.concat(this.#pieces), sha256);
    await this.#close();
    return {
      sha256,
      sizeBytes: this.#sizeBytes,
      content: () => createReadStream(this.#path),
      read: (at, bytes) => readAt(this.#path, at, bytes),
      discard: () => this.discard(),
    };
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
        await mkdir(this.#options.directory, { recursive: true });
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

async function readAt(path: string, at: number, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(bytes), 0, bytes, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
