import { S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from './open-blob-store.ts';

/** How calls of an S3 store are bounded. */
export interface S3Bounds {
  /** Time to connect, milliseconds. Default 1,000. */
  readonly connectMs?: number;
  /** Longest silence of the store, milliseconds. Default 5,000. */
  readonly silenceMs?: number;
}

/** What a store has when nothing else is said, milliseconds. */
export const DEFAULT_SILENCE_MS = 5_000;

/**
 * The SDK's client as the blob store wants it: every call is tried twice and ends in bounded time.
 *
 * @param silenceMs 0 = silence is no sign: the caller bounds its calls itself
 */
export function makeS3Client(
  { endpoint, region, forcePathStyle, credentials, connectMs = 1_000 }: S3Config & S3Bounds,
  silenceMs: number,
): S3Client {
  return new S3Client({
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

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
