import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Spooled } from './spool.ts';

/** Puts what is spooled there; the store checks its digest. */
export function putCommand(
  at: { readonly Bucket: string; readonly Key: string },
  { sha256, sizeBytes, content }: Pick<Spooled, 'sha256' | 'sizeBytes' | 'content'>,
): PutObjectCommand {
  const command = new PutObjectCommand({
    ...at,
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

interface Headed {
  readonly headers: Record<string, string>;
}

function isRequest(value: unknown): value is Headed {
  return typeof value === 'object' && value !== null && 'headers' in value;
}
