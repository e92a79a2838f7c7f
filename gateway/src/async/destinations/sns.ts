import type { SNSClient } from '@aws-sdk/client-sns';

import { messageOf } from './message.ts';
import { type NeighbourOptions, Neighbours } from './neighbours.ts';
import type { Teller } from './telling.ts';

/** Publishes to topics of SNS, `arn:aws:sns:REGION:ACCOUNT:NAME`. */
export function snsTeller(options: NeighbourOptions): Teller {
  const clients = new Neighbours<SNSClient>(options, 'AWS_ENDPOINT_URL_SNS', async (config) => {
    const { SNSClient } = await import('./aws-sns.ts');
    return new SNSClient(config);
  });
  return async (telling) => {
    const { PublishCommand } = await import('./aws-sns.ts');
    const { arn, namespace } = telling;
    const client = await clients.of(namespace, arn);
    const { body, attributes } = messageOf(telling);
    await client.send(new PublishCommand({ TopicArn: arn, Message: body, MessageAttributes: { ...attributes } }));
  };
}
