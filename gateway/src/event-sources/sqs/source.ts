import type { SQSClient } from '@aws-sdk/client-sqs';

import { awsProblem } from '../aws-problem.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { EventSource, OpenDeps, OpenQueue, SourceTraits } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';
import { SqsQueue } from './queue.ts';

/** Of a queue that does not say, seconds. */
const DEFAULT_VISIBILITY_S = 30;
/** Connections at once: as many as workers may wait for messages. */
const MAX_SOCKETS = 256;

/** As Lambda has it for SQS. */
export const sqsTraits: SourceTraits = Object.freeze({
  batchSize: 10,
  batchWindowMs: 0,
  dataKeys: ['body'],
  onMismatch: 'drop',
  userAction: 'USER_INITIATED',
});

/** Queues of SQS, standard and FIFO: `arn:aws:sqs:REGION:ACCOUNT:NAME`, on any server that speaks its protocol. */
export const sqs: EventSource = {
  name: 'sqs',
  serves: ({ source }) => source.eventSourceArn?.split(':')[2] === 'sqs',
  traits: sqsTraits,
  open,
};

async function open({ source }: MappingView, { aws, now, signal }: OpenDeps): Promise<OpenQueue> {
  const { eventSourceArn: arn = '' } = source;
  const [, , , region = '', account, queue] = arn.split(':');
  if (queue === undefined || queue === '')
    throw new SourceProblem('InvalidSource', `${arn} is no ARN of a queue: arn:aws:sqs:REGION:ACCOUNT:NAME`);
  const config = aws('AWS_ENDPOINT_URL_SQS', arn);
  const { SQSClient } = await import('./aws-sqs.ts');
  const client = new SQSClient({
    ...config,
    useQueueUrlAsEndpoint: false, // servers do not always know their own names
    requestHandler: {
      ...config.requestHandler,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
  });
  const resource = { name: `queue ${queue}`, endpoint: config.endpoint };
  try {
    const url = await urlOf(client, { queue, account }, signal);
    const visibilityTimeoutS = await visibilityOf(client, url, signal);
    return new SqsQueue({ client, url, name: { arn, region }, resource, visibilityTimeoutS, now });
  } catch (error) {
    client.destroy();
    throw awsProblem(error, resource);
  }
}

async function urlOf(
  client: SQSClient,
  { queue, account }: { readonly queue: string; readonly account: string | undefined },
  abortSignal: AbortSignal,
): Promise<string> {
  const { GetQueueUrlCommand } = await import('./aws-sqs.ts');
  const command = new GetQueueUrlCommand({ QueueName: queue, QueueOwnerAWSAccountId: account });
  const { QueueUrl } = await client.send(command, { abortSignal });
  if (QueueUrl === undefined) throw new Error('the queue has no address');
  return QueueUrl;
}

async function visibilityOf(client: SQSClient, QueueUrl: string, abortSignal: AbortSignal): Promise<number> {
  const { GetQueueAttributesCommand } = await import('./aws-sqs.ts');
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] });
  const { Attributes } = await client.send(command, { abortSignal });
  return Number(Attributes?.['VisibilityTimeout'] ?? DEFAULT_VISIBILITY_S);
}
