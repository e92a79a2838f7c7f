import { BlobError } from './blob-error.ts';

/** Whether S3 says that there is no such object, or no such bucket. */
export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound', 'NoSuchBucket'].includes(nameOf(error));
}

/** S3's own code of an error, empty when it is another one. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A failure of the connection or of the store; one of ours (4xx) would only come again. */
export function isWorthRetrying(error: unknown): boolean {
  const status = statusOf(error);
  return status === null || status >= 500 || status === 429;
}

/** Status of the answer; null = there was none. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

/** What a failure means for who uses the store. */
export function unavailable(what: string, cause: unknown): BlobError {
  const status = statusOf(cause);
  const why = status === null ? 'no answer' : `${nameOf(cause)} (${status})`;
  return new BlobError('Unavailable', `blob store: ${what}: ${why}`, { cause });
}
