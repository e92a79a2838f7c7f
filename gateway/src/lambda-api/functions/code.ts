import { hash } from 'node:crypto';

import type { FunctionCode } from '@aws-sdk/client-lambda';
import { zipMaxBytes } from '@kappa/crds/limits';
import type { SnapshotCode } from '@kappa/crds/version-snapshot';

import { BlobError } from '../../blobs/blob-store.ts';
import { InvalidParameterValue, RequestTooLarge, ServiceException } from '../../errors.ts';
import type { ApiDeps } from '../call.ts';
import { checkZip } from './zip-check.ts';

/** Where a request says that the code is. */
export type CodeInput = Pick<
  FunctionCode,
  'ZipFile' | 'S3Bucket' | 'S3Key' | 'S3ObjectVersion' | 'ImageUri' | 'SourceKMSKeyArn'
>;

/**
 * Brings the code of a request into the blob store; a dry run only looks at it.
 *
 * @throws LambdaError when there is none, or not a zip, or it is too large
 */
export async function storeCode(input: CodeInput, deps: ApiDeps, isDryRun = false): Promise<SnapshotCode> {
  const zip = await readCode(input, deps);
  if (zip.length > zipMaxBytes) throw new RequestTooLarge(`Zipped size must be smaller than ${zipMaxBytes} bytes`);
  checkZip(zip);
  if (isDryRun) return { sha256: hash('sha256', zip), sizeBytes: zip.length };
  try {
    return await deps.blobs.put(zip);
  } catch (err) {
    if (!(err instanceof BlobError) || err.code !== 'Unavailable') throw err;
    throw new ServiceException('The code store does not answer at the moment.', { retryAfterSeconds: 1, cause: err });
  }
}

async function readCode(input: CodeInput, { readS3 }: ApiDeps): Promise<Buffer> {
  const { ZipFile, S3Bucket, S3Key, ImageUri } = input;
  if (ImageUri !== undefined)
    throw new InvalidParameterValue('Functions from container images (ImageUri) are not supported by this install.');
  if (input.SourceKMSKeyArn !== undefined)
    throw new InvalidParameterValue('Encrypted code (SourceKMSKeyArn) is not supported by this install.');
  if (ZipFile !== undefined) {
    if (S3Bucket !== undefined || S3Key !== undefined)
      throw new InvalidParameterValue('Please do not provide other FunctionCode parameters when providing a ZipFile.');
    return Buffer.from(ZipFile.buffer, ZipFile.byteOffset, ZipFile.byteLength);
  }
  if (S3Bucket === undefined || S3Key === undefined)
    throw new InvalidParameterValue('Please provide a source for function code.');
  return readS3({ bucket: S3Bucket, key: S3Key, version: input.S3ObjectVersion }, zipMaxBytes);
}
