import type { SQSClient } from '@aws-sdk/client-sqs';
import { LRUCache } from 'lru-cache';

import { type NeighbourOptions, Neighbours } from './neighbours.ts';
import { messageTeller, type Sender } from './sender.ts';
import type { Teller } from './telling.ts';

/** Queues whose addresses are remembered. */
const MAX_QUEUES = 1_000;

/** Sends to queues of SQS, `arn:aws:sqs:REGION:ACCOUNT:NAME`. */
export function sqsSender(options: NeighbourOptions): Sender {
  const urls = new LRUCache<string, string>({ max: MAX_QUEUES });
  const clients = new Neighbours<SQSClient>(options, 'AWS_ENDPOINT_URL_SQS', async (config) => {
    const { SQSClient } = await import('./aws-sqs.ts');
    return new SQSClient({ ...config, useQueueUrlAsEndpoint: false }); // servers do not always know their own names
  });
  return async ({ arn, namespace, body, attributes }) => {
    const { SendMessageCommand } = await import('./aws-sqs.ts');
    const client = await clients.of(namespace, arn);
    const key = `${namespace} ${arn}`;
    const QueueUrl = urls.get(key) ?? (await urlOf(client, arn));
    urls.delete(key); // what fails is looked up anew
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes: { ...attributes } }));
    urls.set(key, QueueUrl);
  };
}

/** Tells queues of asynchronous invocations. */
export function sqsTeller(options: NeighbourOptions): Teller {
  return messageTeller(sqsSender(options));
}

async function urlOf(client: SQSClient, arn: string): Promise<string> {
  const { GetQueueUrlCommand } = await import('./aws-sqs.ts');
  const [, , , , QueueOwnerAWSAccountId, QueueName] = arn.split(':');
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId }));
  if (QueueUrl === undefined) throw new Error(`there is no address of ${arn}`);
  return QueueUrl;
}
