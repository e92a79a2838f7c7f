import type { SNSClient } from '@aws-sdk/client-sns';

import { type NeighbourOptions, Neighbours } from './neighbours.ts';
import { messageTeller, type Sender } from './sender.ts';
import type { Teller } from './telling.ts';

/** Publishes to topics of SNS, `arn:aws:sns:REGION:ACCOUNT:NAME`. */
export function snsSender(options: NeighbourOptions): Sender {
  const clients = new Neighbours<SNSClient>(options, 'AWS_ENDPOINT_URL_SNS', async (config) => {
    const { SNSClient } = await import('./aws-sns.ts');
    return new SNSClient(config);
  });
  return async ({ arn, namespace, body, attributes }) => {
    const { PublishCommand } = await import('./aws-sns.ts');
    const client = await clients.of(namespace, arn);
    await client.send(new PublishCommand({ TopicArn: arn, Message: body, MessageAttributes: { ...attributes } }));
  };
}

/** Tells topics of asynchronous invocations. */
export function snsTeller(options: NeighbourOptions): Teller {
  return messageTeller(snsSender(options));
}
