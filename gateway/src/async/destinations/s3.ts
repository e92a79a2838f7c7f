import type { S3Client } from '@aws-sdk/client-s3';

import { type NeighbourOptions, Neighbours } from './neighbours.ts';
import { invocationRecord } from './record.ts';
import type { Sender } from './sender.ts';
import type { Teller, Telling } from './telling.ts';

/** Keeps letters in a bucket, `arn:aws:s3:::NAME`. */
export function s3Sender(options: NeighbourOptions): Sender {
  const clients = new Neighbours<S3Client>(options, 'AWS_ENDPOINT_URL_S3', async (config) => {
    const { S3Client } = await import('./aws-s3.ts');
    return new S3Client({ ...config, forcePathStyle: true });
  });
  return async ({ arn, namespace, body, key: Key }) => {
    const { PutObjectCommand } = await import('./aws-s3.ts');
    const client = await clients.of(namespace, arn);
    const Bucket = arn.slice(arn.lastIndexOf(':') + 1);
    const Body = Buffer.from(body);
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/json' }));
  };
}

/** Keeps records of asynchronous invocations in a bucket. */
export function s3Teller(options: NeighbourOptions): Teller {
  const send = s3Sender(options);
  return (telling) => {
    const { arn, namespace } = telling;
    return send({ arn, namespace, body: invocationRecord(telling), attributes: {}, key: recordKey(telling) });
  };
}

/**
 * `aws/lambda/async/FUNCTION/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID`. The UUID is the request id, so that a record that is written twice is there
 * once.
 */
export function recordKey({ event, decidedMs }: Pick<Telling, 'event' | 'decidedMs'>): string {
  const functionName = event.invokedArn.split(':')[6];
  const at = new Date(decidedMs).toISOString();
  const day = at.slice(0, 10);
  const time = at.slice(11, 19).replaceAll(':', '.');
  return `aws/lambda/async/${functionName}/${day.replaceAll('-', '/')}/${day}T${time}-${event.id}`;
}
