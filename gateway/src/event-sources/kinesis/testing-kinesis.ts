import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';

import { mappingView } from '../mapping/testing-view.ts';
import type { OpenStream } from '../source.ts';
import { streamContract } from '../source-contract.ts';
import { openDeps } from '../testing-open.ts';
import { connectKinesis } from './aws-kinesis.ts';
import { kinesis, kinesisTraits } from './source.ts';

/** Opens a stream as mappings do. @throws SourceProblem */
export async function openTestStream(endpoint: string, eventSourceArn: string): Promise<OpenStream> {
  const opened = await kinesis.open(mappingView({ eventSourceArn }), openDeps(endpoint));
  if (opened.kind !== 'stream') throw new Error('no stream');
  return opened;
}

/** A client of a server for tests. */
export const kinesisClient = (endpoint: string): KinesisClient =>
  connectKinesis({ ...openDeps(endpoint).aws('', ''), maxAttempts: 5 });

/** @returns its ARN */
export async function makeStream(client: KinesisClient, StreamName: string, ShardCount = 1): Promise<string> {
  await client.send(new CreateStreamCommand({ StreamName, ShardCount }));
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  return StreamDescriptionSummary?.StreamARN ?? '';
}

/** Removes a stream. */
export async function removeStream(client: KinesisClient, StreamName: string): Promise<void> {
  await client.send(new DeleteStreamCommand({ StreamName }));
}

/** Puts records with these bodies, in portions of one call. @param keyOf their partition keys */
export async function putRecords(
  client: KinesisClient,
  StreamName: string,
  bodies: readonly string[],
  keyOf: (body: string) => string,
): Promise<void> {
  for (let at = 0; at < bodies.length; at += 500) {
    const some = bodies.slice(at, at + 500);
    const Records = some.map((body) => ({ Data: Buffer.from(body), PartitionKey: keyOf(body) }));
    await client.send(new PutRecordsCommand({ StreamName, Records }));
  }
}

/** What every stream has to keep, of Kinesis. */
export function kinesisContract(server: () => { readonly endpoint: string; readonly client: KinesisClient }): void {
  let count = 0;
  streamContract('Kinesis', {
    traits: kinesisTraits,
    bodyOf: (record) => Buffer.from(JSON.parse(JSON.stringify(record)).kinesis.data, 'base64').toString(),
    start: async () => {
      const { endpoint, client } = server();
      count += 1;
      const name = `contract-${count}`;
      const arn = await makeStream(client, name);
      return {
        stream: await openTestStream(endpoint, arn),
        put: (...bodies) => putRecords(client, name, bodies, () => 'key'),
        end: () => removeStream(client, name),
      };
    },
  });
}
