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
  S3Client,
} from '@aws-sdk/client-s3';
import { BlobError, checkDigest } from './blob-error.ts';
import type { BlobDigest, BlobEntry, BlobStore } from './blob-store.ts';
import type { S3Config } from './open-blob-store.ts';
import { type Spooled, type SpoolOptions, spool } from './spool.ts';

/** How an S3 store is opened. */
export interface S3Options extends S3Config {
  /** Largest blob, bytes. */
  readonly maxBlobBytes: number;
  /** Where streams wait until their digest is known: it is their name. */
  readonly spoolDirectory: string;
  /** Streams up to this size wait in memory. Default 1 MiB. */
  readonly spoolMemoryBytes?: number;
  /** Time to connect, and longest silence of the store, milliseconds. Default 1,000 and 5,000. */
  readonly connectMs?: number;
  readonly silenceMs?: number;
}

/**
 * Blobs in a bucket of their own, each under its digest in hex. The store checks the digest of what it is sent (S3's own checksum),
 * this process that of what it reads. Every call is tried twice. Makes no call by itself; the first put looks for the bucket and
 * makes it when it is missing.
 */
export function s3BlobStore(options: S3Options): BlobStore {
  return new S3BlobStore(options);
}

class S3BlobStore implements BlobStore {
  readonly #client: S3Client;
  /** `found` settles when the bucket was seen or made; null = not asked. */
  readonly #bucket: { readonly name: string; found: Promise<void> | null };
  readonly #maxBlobBytes: number;
  readonly #spool: SpoolOptions;

  constructor(options: S3Options) {
    const { endpoint, region, forcePathStyle, credentials, connectMs = 1_000, silenceMs = 5_000 } = options;
    this.#bucket = { name: options.bucket, found: null };
    this.#maxBlobBytes = options.maxBlobBytes;
    this.#spool = {
      directory: options.spoolDirectory,
      maxBytes: options.maxBlobBytes,
      ...(options.spoolMemoryBytes === undefined ? {} : { memoryBytes: options.spoolMemoryBytes }),
    };
    this.#client = new S3Client({
      region,
      forcePathStyle,
      ...(endpoint === '' ? {} : { endpoint }),
      ...(credentials === null ? {} : { credentials }),
      maxAttempts: 2,
      expectContinueHeader: false, // a store that does not know it would cost seconds
      // The digest is the name: the SDK's own checksums would only hash again.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      logger: silent, // it would write to the console; what fails is thrown
      requestHandler: {
        connectionTimeout: connectMs,
        socketTimeout: silenceMs,
        requestTimeout: silenceMs,
        throwOnRequestTimeout: true,
      },
    });
  }

  async put(content: Buffer | Readable, expectedSha256?: string): Promise<BlobDigest> {
    if (expectedSha256 !== undefined) checkDigest(expectedSha256);
    const held = content instanceof Readable ? await spool(content, this.#spool) : inMemory(content);
    try {
      const { sha256, sizeBytes } = held;
      if (sizeBytes > this.#maxBlobBytes) throw new BlobError('TooLarge', `blob is above ${this.#maxBlobBytes} bytes`);
      if (expectedSha256 !== undefined && sha256 !== expectedSha256) {
        throw new BlobError('DigestMismatch', `expected sha256 ${expectedSha256}, got ${sha256}`);
      }
      await this.#store(held);
      return { sha256, sizeBytes };
    } finally {
      await held.discard();
    }
  }

  async get(sha256: string): Promise<Buffer> {
    checkDigest(sha256);
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#at(sha256)));
      if (!(Body instanceof Readable)) throw new Error('the answer has no body');
      return await readChecked(Body, sha256, this.#maxBlobBytes);
    } catch (error) {
      if (error instanceof BlobError) throw error;
      if (isMissing(error)) throw new BlobError('NotFound', `no blob ${sha256}`);
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
    try {
      await this.#client.send(new DeleteObjectCommand(this.#at(sha256)));
    } catch (error) {
      if (!isMissing(error)) throw unavailable(`delete ${sha256}`, error);
    }
  }

  async *list(): AsyncIterable<BlobEntry> {
    let next: string | undefined;
    do {
      const page = await this.#page(next);
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        if (/^[0-9a-f]{64}$/.test(Key))
          yield { sha256: Key, sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
      }
      next = page.NextContinuationToken;
    } while (next !== undefined);
  }

  async #page(next: string | undefined) {
    const from = next === undefined ? {} : { ContinuationToken: next };
    try {
      return await this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket.name, ...from }));
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
    const once = () => this.#client.send(this.#putCommand(held));
    await once().catch((error: unknown) => {
      if (held.content() instanceof Readable && isWorthRetrying(error)) return once();
      throw error;
    });
  }

  #putCommand({ sha256, sizeBytes, content }: Spooled): PutObjectCommand {
    const command = new PutObjectCommand({
      ...this.#at(sha256),
      Body: content(),
      ContentLength: sizeBytes,
      ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
      ContentType: 'application/zip',
    });
    // The signature is over the digest that is known, also for a stream: without it a stream would be sent unsigned.
    command.middlewareStack.add(
      (next) => (args) => {
        const { request } = args;
        if (isRequest(request)) request.headers['x-amz-content-sha256'] = sha256;
        return next(args);
      },
      { step: 'build', name: 'knownDigest' },
    );
    return command;
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

  #at(sha256: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket.name, Key: sha256 };
  }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function inMemory(bytes: Buffer): Spooled {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sha256, sizeBytes: bytes.length, content: () => bytes, discard: () => Promise.resolve() };
}

async function readChecked(body: Readable, sha256: string, maxBytes: number): Promise<Buffer> {
  const hash = createHash('sha256');
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of body) {
    sizeBytes += piece.length;
    if (sizeBytes > maxBytes) throw new BlobError('TooLarge', `blob ${sha256} is above ${maxBytes} bytes`);
    hash.update(piece);
    pieces.push(piece);
  }
  if (hash.digest('hex') !== sha256) throw new BlobError('Corrupt', `blob ${sha256} is damaged: put it again`);
  return Buffer.concat(pieces, sizeBytes);
}

interface Headed {
  readonly headers: Record<string, string>;
}

function isRequest(value: unknown): value is Headed {
  return typeof value === 'object' && value !== null && 'headers' in value;
}

function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound', 'NoSuchBucket'].includes(nameOf(error));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A failure of the connection or of the store; one of ours (4xx) would only come again. */
function isWorthRetrying(error: unknown): boolean {
  const status = statusOf(error);
  return status === null || status >= 500 || status === 429;
}

function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

function unavailable(what: string, cause: unknown): BlobError {
  const status = statusOf(cause);
  const why = status === null ? 'no answer' : `${nameOf(cause)} (${status})`;
  return new BlobError('Unavailable', `blob store: ${what}: ${why}`, { cause });
}
