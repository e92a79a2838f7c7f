import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BlobError, checkDigest, checkInstall, isInstall } from './blob-error.ts';
import type { BlobDigest, BlobEntry, BlobStore } from './blob-store.ts';
import type { S3Config } from './open-blob-store.ts';
import { DEFAULT_SILENCE_MS, makeS3Client, type S3Bounds } from './s3-client.ts';
import { isMissing, isWorthRetrying, nameOf, statusOf, unavailable } from './s3-errors.ts';
import { putCommand } from './s3-put-command.ts';
import { RETIRED, retiredKey, S3Retired } from './s3-retired.ts';
import { type Spooled, type SpoolOptions, spool, spooledInMemory } from './spool.ts';

/** How an S3 store is opened. */
export interface S3Options extends S3Config, S3Bounds {
  /** Largest blob, bytes. */
  readonly maxBlobBytes: number;
  /** Where streams wait until their digest is known: it is their name. */
  readonly spoolDirectory: string;
  /** Streams up to this size wait in memory. Default 1 MiB. */
  readonly spoolMemoryBytes?: number;
}

/** What was stored while the install had a larger bound is still read. */
const MAX_STORED_BYTES = 256 * 1024 * 1024;
/** Before the names of installs whose code is here. */
const INSTALLS = 'installs/';
/** A large blob takes as long as it takes; silence ends it all the same. */
const unhurried = { requestTimeout: 0 };

/**
 * Blobs in a bucket of their own, each under its digest in hex, retired ones under `retired/`. The store checks the digest of what it is sent (S3's own checksum),
 * this process that of what it reads. Every call is tried twice. Makes no call by itself; the first put looks for the bucket and
 * makes it when it is missing.
 */
export function s3BlobStore(options: S3Options): BlobStore {
  return new S3BlobStore(options);
}

class S3BlobStore implements BlobStore {
  readonly #client: S3Client;
  readonly #retired: S3Retired;
  /** `found` settles when the bucket was seen or made; null = not asked. */
  readonly #bucket: { readonly name: string; found: Promise<void> | null };
  readonly #maxBlobBytes: number;
  readonly #spool: SpoolOptions;

  constructor(options: S3Options) {
    const { silenceMs = DEFAULT_SILENCE_MS } = options;
    this.#bucket = { name: options.bucket, found: null };
    this.#maxBlobBytes = options.maxBlobBytes;
    this.#spool = {
      directory: options.spoolDirectory,
      maxBytes: options.maxBlobBytes,
      ...(options.spoolMemoryBytes === undefined ? {} : { memoryBytes: options.spoolMemoryBytes }),
    };
    this.#client = makeS3Client(options, silenceMs);
    const copier = makeS3Client(options, 0);
    this.#retired = new S3Retired({ client: this.#client, copier, bucket: options.bucket, silenceMs });
  }

  async put(content: Buffer | Readable | Spooled, expectedSha256?: string): Promise<BlobDigest> {
    if (expectedSha256 !== undefined) checkDigest(expectedSha256);
    if (!(content instanceof Readable)) {
      return this.#put(Buffer.isBuffer(content) ? spooledInMemory(content) : content, expectedSha256);
    }
    const held = await spool(content, this.#spool);
    return this.#put(held, expectedSha256).finally(held.discard);
  }

  async #put(held: Spooled, expectedSha256: string | undefined): Promise<BlobDigest> {
    const { sha256, sizeBytes } = held;
    if (sizeBytes > this.#maxBlobBytes) throw new BlobError('TooLarge', `blob is above ${this.#maxBlobBytes} bytes`);
    if (expectedSha256 !== undefined && sha256 !== expectedSha256) {
      throw new BlobError('DigestMismatch', `expected sha256 ${expectedSha256}, got ${sha256}`);
    }
    await this.#store(held);
    return { sha256, sizeBytes };
  }

  /** Retired or not; between the two looks it may have been reinstated. */
  async get(sha256: string): Promise<Buffer> {
    checkDigest(sha256);
    for (const key of [sha256, retiredKey(sha256), sha256]) {
      const found = await this.#get(key, sha256);
      if (found !== null) return found;
    }
    throw new BlobError('NotFound', `no blob ${sha256}`);
  }

  async #get(key: string, sha256: string): Promise<Buffer | null> {
    try {
      const { Body, ContentLength = 0 } = await this.#client.send(new GetObjectCommand(this.#at(key)));
      if (!(Body instanceof Readable)) throw new Error('the answer has no body');
      return await readChecked(Body, { sha256, sizeBytes: ContentLength }, MAX_STORED_BYTES);
    } catch (error) {
      if (error instanceof BlobError) throw error;
      if (isMissing(error)) return null;
      throw unavailable(`get ${sha256}`, error);
    }
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.sizeOf(sha256)) !== null;
  }

  async sizeOf(sha256: string): Promise<number | null> {
    checkDigest(sha256);
    try {
      return (await this.#client.send(new HeadObjectCommand(this.#at(sha256)))).ContentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return null;
      throw unavailable(`head ${sha256}`, error);
    }
  }

  async delete(sha256: string): Promise<void> {
    checkDigest(sha256);
    await this.#delete(sha256);
  }

  list(): AsyncIterable<BlobEntry> {
    return this.#list('');
  }

  retired(): AsyncIterable<BlobEntry> {
    return this.#list(RETIRED);
  }

  async retire(sha256: string, mayRemove = always): Promise<boolean> {
    checkDigest(sha256);
    return this.#retired.retire(sha256, mayRemove);
  }

  async reinstate(sha256: string): Promise<void> {
    checkDigest(sha256);
    await this.#retired.reinstate(sha256);
  }

  async purge(sha256: string, mayRemove = always): Promise<boolean> {
    checkDigest(sha256);
    return this.#retired.purge(sha256, mayRemove);
  }

  async installs(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { Key = '' } of this.#objects(INSTALLS)) found.push(Key.slice(INSTALLS.length));
    return found.filter(isInstall);
  }

  async addInstall(install: string): Promise<void> {
    checkInstall(install);
    const mark = { ...this.#at(`${INSTALLS}${install}`), Body: install, ContentType: 'text/plain' };
    try {
      await this.#bucketIsThere();
      await this.#client.send(new PutObjectCommand(mark));
    } catch (error) {
      throw unavailable(`put ${mark.Key}`, error);
    }
  }

  async #delete(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand(this.#at(key)));
    } catch (error) {
      if (!isMissing(error)) throw unavailable(`delete ${key}`, error);
    }
  }

  /** Blobs right below `prefix`. */
  async *#list(prefix: string): AsyncIterable<BlobEntry> {
    for await (const { Key = '', Size = 0, LastModified } of this.#objects(prefix)) {
      const sha256 = Key.slice(prefix.length);
      if (/^[0-9a-f]{64}$/.test(sha256)) yield { sha256, sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
    }
  }

  async *#objects(prefix: string) {
    let next: string | undefined;
    do {
      const page = await this.#page(prefix, next);
      yield* page.Contents ?? [];
      next = page.NextContinuationToken;
    } while (next !== undefined);
  }

  async #page(prefix: string, next: string | undefined) {
    const where = { Bucket: this.#bucket.name, Prefix: prefix, Delimiter: '/' };
    const from = next === undefined ? {} : { ContinuationToken: next };
    try {
      return await this.#client.send(new ListObjectsV2Command({ ...where, ...from }));
    } catch (error) {
      if (isMissing(error)) return { Contents: [], NextContinuationToken: undefined };
      throw unavailable('list', error);
    }
  }

  async #store(held: Spooled): Promise<void> {
    try {
      await this.#bucketIsThere();
      await this.#send(held);
    } catch (error) {
      if (nameOf(error) === 'NoSuchBucket') this.#bucket.found = null; // taken away since: the next put makes it
      throw unavailable(`put ${held.sha256}`, error);
    }
  }

  /** A stream cannot be sent twice by the SDK, so the second try is here. */
  async #send(held: Spooled): Promise<void> {
    const once = putCommand(this.#at(held.sha256), held);
    try {
      await this.#client.send(once, unhurried);
    } catch (error) {
      if (!(once.input.Body instanceof Readable) || !isWorthRetrying(error)) throw error;
      await this.#client.send(putCommand(this.#at(held.sha256), held), unhurried);
    }
  }

  /**
   * Asked once, before the first put: a store that misses the bucket would reset the connection in the midst of a large put.
   * Keys that may not ask (403) are taken to know that it is there.
   */
  #bucketIsThere(): Promise<void> {
    this.#bucket.found ??= this.#findOrMakeBucket().catch((error: unknown) => {
      this.#bucket.found = null;
      throw error;
    });
    return this.#bucket.found;
  }

  async #findOrMakeBucket(): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      try {
        await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket.name }));
        return true;
      } catch (error) {
        if (statusOf(error) === 403) return true;
        if (isMissing(error)) return false;
        throw error;
      }
    };
    if (await isThere()) return;
    try {
      await this.#client.send(new CreateBucketCommand({ Bucket: this.#bucket.name }));
    } catch (error) {
      if (!(await isThere())) throw error; // else another process was faster
    }
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket.name, Key: key };
  }
}

const always = (): boolean => true;

/** Pieces go into their place as they come: putting 50 MB together at the end would hold up the event loop. */
async function readChecked(body: Readable, { sha256, sizeBytes }: BlobDigest, maxBytes: number): Promise<Buffer> {
  if (sizeBytes > maxBytes) throw new BlobError('TooLarge', `blob ${sha256} is above ${maxBytes} bytes`);
  const hash = createHash('sha256');
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let at = 0;
  for await (const piece of body) {
    hash.update(piece);
    piece.copy(bytes, at);
    at += piece.length;
  }
  if (at !== sizeBytes || hash.digest('hex') !== sha256)
    throw new BlobError('Corrupt', `blob ${sha256} is damaged: put it again`);
  return bytes;
}
