import type { CloudWatchLogsClient, PutLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';

import type { ShipEvent, ShipResult, ShipStream } from './shipper.ts';

/** How servers are called. */
export interface CloudWatchOptions {
  readonly region: string;
  /** The install's own server; null = it has none. */
  readonly ownEndpoint: string | null;
  /** For that one, and no other. null = what the AWS SDK finds: environment, web identity, instance. */
  readonly credentials: AccessKey | null;
  /** For one call of the sender, whatever it takes. */
  readonly deadlineMs?: number;
}

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Signs for servers that the install does not know: nobody's key, but a signature, by which such servers tell services apart. */
const nobody: AccessKey = { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' };
const DEADLINE_MS = 15_000;
/** What will be otherwise soon: somebody else makes the same group just now, or what was made is not seen everywhere. */
const passing: readonly string[] = ['ThrottlingException', 'OperationAbortedException', 'ResourceNotFoundException'];

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
    const abortSignal = AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS);
    try {
      return { kind: 'stored', rejected: await put(await client, to, events, abortSignal) };
    } catch (err) {
      return resultOf(err);
    }
  };
}

async function connect(endpoint: string, options: CloudWatchOptions): Promise<CloudWatchLogsClient> {
  const { CloudWatchLogsClient } = await import('./aws-logs.ts');
  const { region, ownEndpoint } = options;
  const credentials = endpoint === ownEndpoint ? options.credentials : nobody;
  return new CloudWatchLogsClient({
    region,
    endpoint,
    ...(credentials !== null && { credentials }),
    maxAttempts: 1, // the shipper tries again
    requestHandler: {
      connectionTimeout: 2_000,
      socketTimeout: 10_000,
      requestTimeout: 10_000,
      throwOnRequestTimeout: true,
    },
  });
}

/** @returns how many of the events the server has rejected */
async function put(
  client: CloudWatchLogsClient,
  to: ShipStream,
  events: readonly ShipEvent[],
  abortSignal: AbortSignal,
): Promise<number> {
  const { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } = await import('./aws-logs.ts');
  const names = { logGroupName: to.group, logStreamName: to.stream };
  const until = { abortSignal };
  const store = async (): Promise<number> =>
    rejectedOf(await client.send(new PutLogEventsCommand({ ...names, logEvents: [...events] }), until), events.length);
  try {
    return await store();
  } catch (err) {
    if (nameOf(err) !== 'ResourceNotFoundException') throw err;
  }
  await unlessThere(client.send(new CreateLogGroupCommand({ logGroupName: to.group }), until));
  await unlessThere(client.send(new CreateLogStreamCommand(names), until));
  return store();
}

/** Those before the one end, and those from the other on. */
function rejectedOf({ rejectedLogEventsInfo: info }: PutLogEventsCommandOutput, count: number): number {
  const first = Math.max(info?.tooOldLogEventEndIndex ?? 0, info?.expiredLogEventEndIndex ?? 0);
  return Math.min(Math.max(first + count - (info?.tooNewLogEventStartIndex ?? count), 0), count);
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
  const isBusy = status === 0 || status === 429 || status >= 500 || passing.includes(nameOf(err));
  return { kind: isBusy ? 'again' : 'refused', why: `${nameOf(err)}: ${message}` };
}

function nameOf(err: unknown): string {
  return String(Object(err).name);
}
