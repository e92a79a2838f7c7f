import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';

import { type NeighbourOptions, Neighbours } from './neighbours.ts';
import { invocationRecord, qualifiedArn } from './record.ts';
import type { Teller } from './telling.ts';

/** Puts events on a bus, `arn:aws:events:REGION:ACCOUNT:event-bus/NAME`, in the form that Lambda gives them. */
export function eventBridgeTeller(options: NeighbourOptions): Teller {
  const clients = new Neighbours<EventBridgeClient>(options, 'AWS_ENDPOINT_URL_EVENTBRIDGE', async (config) => {
    const { EventBridgeClient } = await import('./aws-event-bridge.ts');
    return new EventBridgeClient(config);
  });
  return async (telling) => {
    const { PutEventsCommand } = await import('./aws-event-bridge.ts');
    const { arn, namespace, condition, event, decidedMs } = telling;
    const client = await clients.of(namespace, arn);
    const entry = {
      EventBusName: arn,
      Source: 'lambda',
      DetailType: `Lambda Function Invocation Result - ${condition === 'Success' ? 'Success' : 'Failure'}`,
      Time: new Date(decidedMs),
      Resources: [arn, qualifiedArn(event)],
      Detail: invocationRecord(telling),
    };
    const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [entry] }));
    const [{ ErrorCode, ErrorMessage } = {}] = Entries;
    if (ErrorCode !== undefined) throw new Error(`${arn} took no event: ${ErrorCode} ${ErrorMessage ?? ''}`);
  };
}
