import { InvalidParameterValue, RequestTooLarge, ServiceException } from '../../errors.ts';
import type { S3Source } from '../call.ts';

/** Where S3 is. */
export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  /** The bucket of the install's own code store: code of all accounts is in it, so nobody reads it this way. */
  readonly ownBucket: string;
}

/**
 * Reads code that a caller put into the install's S3-compatible store. The AWS SDK is loaded at the first use: it costs 33 MB.
 *
 * @param access null = this install has no S3
 * @returns a function that throws LambdaError, with Lambda's words for what S3 says
 */
export function s3Reader(access: S3Access | null): (source: S3Source, maxBytes: number) => Promise<Buffer> {
  return async (source, maxBytes) => {
    if (access === null)
      throw new InvalidParameterValue(
        'This install has no S3 to fetch code from (S3Bucket, S3Key): send the zip itself as ZipFile.',
      );
    if (source.bucket === access.ownBucket) throw s3Error('AccessDenied', 'Access Denied');
    try {
      return await read(access, source, maxBytes);
    } catch (err) {
      throw toLambda(err);
    }
  };
}

async function read({ endpoint, region }: S3Access, source: S3Source, maxBytes: number): Promise<Buffer> {
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({ endpoint, region, forcePathStyle: true });
  try {
    const { Body, ContentLength = 0 } = await client.send(
      new GetObjectCommand({
        Bucket: source.bucket,
        Key: source.key,
        ...(source.version !== undefined && { VersionId: source.version }),
      }),
    );
    if (ContentLength > maxBytes) throw new RequestTooLarge(`Zipped size must be smaller than ${maxBytes} bytes`);
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  } finally {
    client.destroy();
  }
}

/** The store's own refusals are the caller's to mend, all else the platform's. */
function toLambda(err: unknown): unknown {
  if (err instanceof RequestTooLarge) return err;
  const { name, message, $metadata } = Object(err);
  const status = Number($metadata?.httpStatusCode ?? 0);
  if (status >= 400 && status < 500) return s3Error(String(name), String(message));
  return new ServiceException('S3 does not answer as it should at the moment.', { retryAfterSeconds: 1, cause: err });
}

function s3Error(code: string, message: string): InvalidParameterValue {
  return new InvalidParameterValue(
    `Error occurred while GetObject. S3 Error Code: ${code}. S3 Error Message: ${message}`,
  );
}
