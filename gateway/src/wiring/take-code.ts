import type { ApiDeps } from '../lambda-api/call.ts';
import { s3Reader } from '../lambda-api/functions/s3-source.ts';
import { Uploads } from '../lambda-api/uploads/uploads.ts';
import type { Context } from './context.ts';

/** How packages come in: bounds, turns, and from which buckets of S3. */
export function takeCode({
  config,
  clock,
}: Pick<Context, 'config' | 'clock'>): Pick<ApiDeps, 'codeLimits' | 'uploads' | 'readS3'> {
  const { blobDir, codeLimits, codeSources, s3 } = config;
  const uploads = new Uploads({ blobDir, maxZipBytes: codeLimits.zippedBytes, schedule: clock.after });
  return { codeLimits, uploads, readS3: s3Reader({ sources: codeSources, own: s3, uploads }) };
}
