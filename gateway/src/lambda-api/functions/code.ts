import type { FunctionCode } from '@aws-sdk/client-lambda';
import type { SnapshotCode } from '@kappa/crds/version-snapshot';

import { BlobError, type Spooled, spooledInMemory } from '../../blobs/blob-store.ts';
import { InvalidParameterValue, ServiceException } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { zipTooLarge } from '../uploads/read-upload.ts';
import { checkZip } from './zip-check.ts';

/** Where a request says that the code is. */
export interface CodeInput
  extends Pick<FunctionCode, 'S3Bucket' | 'S3Key' | 'S3ObjectVersion' | 'ImageUri' | 'SourceKMSKeyArn'> {
  /** Spooled where it came over the wire. */
  readonly ZipFile?: Uint8Array | Spooled | undefined;
}

/**
 * Brings the code of a request into the blob store; a dry run only looks at it.
 *
 * @throws LambdaError when there is none, or not a zip, or it is too large
 */
export async function storeCode(
  input: CodeInput,
  call: Pick<OperationCall<unknown>, 'namespace'>,
  deps: ApiDeps,
  isDryRun = false,
): Promise<SnapshotCode> {
  const { zippedBytes, unpackedBytes } = deps.codeLimits;
  const zip = await readCode(input, call, deps);
  try {
    const { sha256, sizeBytes } = zip;
    if (sizeBytes > zippedBytes) throw zipTooLarge(zippedBytes);
    await checkZip(zip, unpackedBytes);
    return isDryRun ? { sha256, sizeBytes } : await deps.blobs.put(zip);
  } catch (err) {
    if (!(err instanceof BlobError) || err.code !== 'Unavailable') throw err;
    throw new ServiceException('The code store does not answer at the moment.', { retryAfterSeconds: 1, cause: err });
  } finally {
    await zip.discard();
  }
}

async function readCode(
  input: CodeInput,
  { namespace }: Pick<OperationCall<unknown>, 'namespace'>,
  { readS3 }: ApiDeps,
): Promise<Spooled> {
  const { ZipFile, S3Bucket, S3Key, ImageUri } = input;
  if (ImageUri !== undefined)
    throw new InvalidParameterValue('Please do not provide ImageUri for a function whose package type is Zip.');
  if (input.SourceKMSKeyArn !== undefined)
    throw new InvalidParameterValue('Encrypted code (SourceKMSKeyArn) is not supported by this install.');
  if (ZipFile !== undefined) {
    if (S3Bucket !== undefined || S3Key !== undefined)
      throw new InvalidParameterValue('Please do not provide other FunctionCode parameters when providing a ZipFile.');
    if (!(ZipFile instanceof Uint8Array)) return ZipFile;
    return spooledInMemory(Buffer.from(ZipFile.buffer, ZipFile.byteOffset, ZipFile.byteLength));
  }
  if (S3Bucket === undefined || S3Key === undefined)
    throw new InvalidParameterValue('Please provide a source for function code.');
  return readS3({ bucket: S3Bucket, key: S3Key, version: input.S3ObjectVersion }, namespace);
}
