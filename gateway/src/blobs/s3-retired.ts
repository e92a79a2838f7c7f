import { CopyObjectCommand, DeleteObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isMissing, unavailable } from './s3-errors.ts';

/** What {@link S3Retired} works with. */
export interface S3RetiredParts {
  readonly client: S3Client;
  /** Bounds no silence by itself: a store says nothing while it copies. */
  readonly copier: S3Client;
  readonly bucket: string;
  /** What a copy may take besides the time for its bytes, milliseconds. */
  readonly silenceMs: number;
}

/** Where retired blobs lie. */
export const RETIRED = 'retired/';

/** What the slowest store copies: 250 MB in 250 s. */
const COPY_BYTES_PER_MS = 1_000;

/**
 * Retired blobs of a bucket, under `retired/`. S3 has no rename, so between any two calls of a process that was stopped, others do anything.
 * What holds all the same, for code that somebody refers to: it lies in one of the two places.
 *
 *  1. A copy is made before anything is taken away, and `reinstate` only copies: whoever was about to end `retire` may take away the blob, but its
 *     retired copy is there, is read, and comes back with the next round. It stays until the blob is retired again.
 *  2. `purge` is for copies that were retired long ago and whose blob is not there (the caller sees to it), so nobody is about to end a `retire`:
 *     each removal asks its caller once it is signed, at every try, and the store refuses a signature after 15 minutes (`RequestTimeTooSkewed`).
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export class S3Retired {
  readonly #parts: S3RetiredParts;

  constructor(parts: S3RetiredParts) {
    this.#parts = parts;
  }

  async retire(sha256: string, mayRemove: () => boolean): Promise<boolean> {
    const isCopied = await this.#copy(sha256, retiredKey(sha256));
    return !isCopied || this.#remove(sha256, mayRemove);
  }

  async reinstate(sha256: string): Promise<void> {
    await this.#copy(retiredKey(sha256), sha256);
  }

  purge(sha256: string, mayRemove: () => boolean): Promise<boolean> {
    return this.#remove(retiredKey(sha256), mayRemove);
  }

  /** False = there is nothing to copy. */
  async #copy(from: string, to: string): Promise<boolean> {
    const { client, copier, bucket, silenceMs } = this.#parts;
    try {
      const { ContentLength = 0 } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: from }));
      const command = new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: `${bucket}/${from}` });
      await copier.send(command, { requestTimeout: silenceMs + ContentLength / COPY_BYTES_PER_MS });
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw unavailable(`copy ${from} to ${to}`, error);
    }
  }

  /** False = its caller may not any more. */
  async #remove(key: string, mayRemove: () => boolean): Promise<boolean> {
    const command = new DeleteObjectCommand({ Bucket: this.#parts.bucket, Key: key });
    command.middlewareStack.add(
      (next) => (args) => {
        if (!mayRemove()) throw new RemovalRefused();
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'askedOnceSigned' },
    );
    try {
      await this.#parts.client.send(command);
    } catch (error) {
      if (error instanceof RemovalRefused) return false;
      if (!isMissing(error)) throw unavailable(`delete ${key}`, error);
    }
    return true;
  }
}

/** Ends a call that was signed and is not to be sent. */
class RemovalRefused extends Error {
  override readonly name = 'RemovalRefused';
}

/** Where the retired copy of a blob lies. */
export function retiredKey(sha256: string): string {
  return `${RETIRED}${sha256}`;
}
