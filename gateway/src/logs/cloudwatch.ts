import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

import type { ShipEvent, ShipResult, ShipStream } from './shipper.ts';

/** How servers are called. */
export interface CloudWatchOptions {
  readonly region: string;
  /** null = what the AWS SDK finds: environment, web identity, instance. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/**
 * Stores events by PutLogEvents; groups and streams that are missing are made. The AWS SDK is loaded at the first use.
 *
 * @returns a function that never rejects
 */
export function cloudWatchSender(
  options: CloudWatchOptions,
): (to: ShipStream, events: readonly ShipEvent[]) => Promise<ShipResult> {
  const clients = new Map<string, Promise<CloudWatchLogsClient>>();
  return async (to, events) => {
    const client = clients.get(to.endpoint) ?? connect(to.endpoint, options);
    clients.set(to.endpoint, client);
    try {
      await put(await client, to, events);
      return { kind: 'stored' };
    } catch (err) {
      return resultOf(err);
    }
  };
}

async function connect(endpoint: string, { region, credentials }: CloudWatchOptions): Promise<CloudWatchLogsClient> {
  const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
  return new CloudWatchLogsClient({
    region,
    endpoint,
    ...(credentials !== null && { credentials }),
    maxAttempts: 1, // the shipper tries again
    requestHandler: { connectionTimeout: 2_000, socketTimeout: 10_000, requestTimeout: 10_000 },
  });
}

async function put(client: CloudWatchLogsClient, to: ShipStream, events: readonly ShipEvent[]): Promise<void> {
  const { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } = await import(
    '@aws-sdk/client-cloudwatch-logs'
  );
  const names = { logGroupName: to.group, logStreamName: to.stream };
  const store = () => client.send(new PutLogEventsCommand({ ...names, logEvents: [...events] }));
  try {
    await store();
    return;
  } catch (err) {
    if (nameOf(err) !== 'ResourceNotFoundException') throw err;
  }
  await unlessThere(client.send(new CreateLogGroupCommand({ logGroupName: to.group })));
  await unlessThere(client.send(new CreateLogStreamCommand(names)));
  await store();
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (err) {
    if (nameOf(err) !== 'ResourceAlreadyExistsException') throw err;
  }
}

/** What the server says about the request itself will not change; its own troubles, and the network's, may. */
function resultOf(err: unknown): ShipResult {
  const { $metadata, message } = Object(err);
  const status = Number($metadata?.httpStatusCode ?? 0);
  const isBusy = status === 0 || status === 429 || status >= 500 || nameOf(err) === 'ThrottlingException';
  return { kind: isBusy ? 'again' : 'refused', why: `${nameOf(err)}: ${message}` };
}

function nameOf(err: unknown): string {
  return String(Object(err).name);
}
