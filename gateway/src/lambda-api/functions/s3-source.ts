import { Readable } from 'node:stream';

import { BlobError, type Spooled } from '../../blobs/blob-store.ts';
import { InvalidParameterValue, LambdaError, ServiceException } from '../../errors.ts';
import type { S3Source } from '../call.ts';
import { zipTooLarge } from '../uploads/read-upload.ts';
import type { Uploads } from '../uploads/uploads.ts';
import { type CodeSource, sourceOf } from './code-sources.ts';

/** What S3 may be read for callers. */
export interface S3Access {
  /** From where whose code may come. */
  readonly sources: readonly CodeSource[];
  /** The install's own code store; null = it has none in S3. */
  readonly own: { readonly endpoint: string; readonly bucket: string } | null;
  readonly uploads: Uploads;
}

/**
 * Reads code that callers have put into S3. The gateway's keys reach more than a caller's do, so nobody is given what no source of the install allows
 * his namespace, and nobody the install's own bucket, where the code of all accounts is. Fails closed. The AWS SDK is loaded at the first use:
 * it costs 33 MB.
 *
 * @returns a function that throws LambdaError, with Lambda's words for what S3 says
 */
export function s3Reader(access: S3Access): (source: S3Source, namespace: string) => Promise<Spooled> {
  return async (source, namespace) => {
    const allowed = sourceOf(access.sources, namespace, source.bucket);
    if (allowed === undefined || source.bucket === access.own?.bucket) throw notAllowed(source, namespace);
    if (source.key.split('/').some((part) => part === '.' || part === '..'))
      throw new InvalidParameterValue("S3Key must not have the parts '.' and '..': some stores would look elsewhere.");
    const endpoint = allowed.endpoint === '' ? (access.own?.endpoint ?? '') : allowed.endpoint;
    const endTurn = await access.uploads.turn();
    try {
      const zip = await read({ ...allowed, endpoint }, source, access.uploads);
      return { ...zip, discard: () => zip.discard().finally(endTurn) };
    } catch (err) {
      endTurn();
      throw toLambda(err, source, access.uploads.maxZipBytes);
    }
  };
}

async function read(from: CodeSource, { bucket, key, version }: S3Source, uploads: Uploads): Promise<Spooled> {
  const { GetObjectCommand, S3Client } = await import('../../blobs/aws-s3.ts');
  const { endpoint, region, forcePathStyle, credentials } = from;
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint !== '' && { endpoint }),
    ...(credentials !== null && { credentials }),
    maxAttempts: 2,
    responseChecksumValidation: 'WHEN_REQUIRED', // it would hash once more what is hashed here
    requestHandler: { connectionTimeout: 2_000, socketTimeout: 10_000, requestTimeout: 10_000 },
  });
  const spool = uploads.open();
  try {
    const wanted = { Bucket: bucket, Key: key, ...(version !== undefined && { VersionId: version }) };
    const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand(wanted));
    if (!(Body instanceof Readable)) throw new Error('the answer has no body');
    if (ContentLength > uploads.maxZipBytes) throw zipTooLarge(uploads.maxZipBytes);
    for await (const piece of Body) await spool.write(piece);
    return await spool.end();
  } catch (err) {
    await spool.discard();
    throw err;
  } finally {
    client.destroy();
  }
}

/** The store's own refusals are the caller's to mend, all else the platform's. */
function toLambda(err: unknown, source: S3Source, maxBytes: number): unknown {
  if (err instanceof LambdaError) return err;
  if (err instanceof BlobError && err.code === 'TooLarge') return zipTooLarge(maxBytes);
  const { name, message, $metadata } = Object(err);
  const status = Number($metadata?.httpStatusCode ?? 0);
  if (status === 403) return denied(source, `S3 Error Code: ${name}. S3 Error Message: ${message}`);
  if (status === 404) return missing(String(name), String(message));
  if (status >= 300 && status < 500) return s3Error(String(name), String(message));
  return new ServiceException('S3 does not answer as it should at the moment.', { retryAfterSeconds: 1, cause: err });
}

/** In S3's own words where a store has others, or none. */
const missingWords: Readonly<Record<string, string>> = {
  NoSuchBucket: 'The specified bucket does not exist',
  NoSuchKey: 'The specified key does not exist.',
};

function missing(code: string, message: string): InvalidParameterValue {
  const name = code.startsWith('NoSuch') ? code : 'NoSuchKey';
  return s3Error(name, missingWords[name] ?? message);
}

function s3Error(code: string, message: string): InvalidParameterValue {
  return new InvalidParameterValue(
    `Error occurred while GetObject. S3 Error Code: ${code}. S3 Error Message: ${message}`,
  );
}

function notAllowed(source: S3Source, namespace: string): LambdaError {
  return denied(
    source,
    `S3 Error Code: AccessDenied. S3 Error Message: this install lets the namespace ${namespace} have no code from that bucket: the setting code.sources (KAPPA_CODE_SOURCES) would`,
  );
}

function denied({ bucket, key }: S3Source, said: string): LambdaError {
  return new LambdaError(
    'AccessDeniedException',
    `Your access has been denied by S3, please make sure your request credentials have permission to GetObject for ${bucket}/${key}. ${said}`,
    { status: 403, fault: 'caller' },
  );
}
