import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';

import { openDeps } from '../testing-open.ts';
import { provideJars, TestServer } from '../testing-servers.ts';

/** DynamoDB Local: DynamoDB and its streams, in memory. */
export async function startDynamo(): Promise<TestServer> {
  const jars = await provideJars('dynamodb');
  return TestServer.start({
    command: 'java',
    args: (port) => [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1', // listens in half the time
      '-cp',
      `${jars}/*`,
      'software.amazon.dynamodb.services.local.main.ServerRunner',
      '-inMemory',
      '-sharedDb', // else each access key and region has tables of its own
      '-disableTelemetry',
      '-port',
      String(port),
    ],
  });
}

/** A client of a server for tests. */
export const dynamoClient = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({ ...openDeps(endpoint).aws('', ''), maxAttempts: 5 });

/** A table with the key `id` and a stream. @returns the stream's ARN */
export async function makeTable(client: DynamoDBClient, TableName: string): Promise<string> {
  const { TableDescription } = await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  return TableDescription?.LatestStreamArn ?? '';
}

/** Puts items, no two of them with one key. */
export async function putItems(
  client: DynamoDBClient,
  table: string,
  items: readonly Record<string, AttributeValue>[],
): Promise<void> {
  for (let at = 0; at < items.length; at += 25) {
    const puts = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
  }
}
