import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PublishLayerVersionCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/*
 * Where nobody is asked who he is, callers may name any region, and each has its own objects.
 */

const home = 'us-east-1';
const regions = [home, 'eu-west-1'] as const;
const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody' };
const FunctionName = 'same-name';

let kappa: TestPlatform;
let clients: readonly LambdaClient[];
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  clients = regions.map(
    (region) => new LambdaClient({ endpoint: kappa.endpoint, region, credentials, maxAttempts: 1 }),
  );
}, 120_000);
afterAll(async () => {
  for (const client of clients ?? []) client.destroy();
  await kappa?.stop();
}, 60_000);

const code = `exports.handler = async (event, context) => {
  console.log('said in ' + process.env.AWS_REGION);
  return [process.env.AWS_REGION, context.invokedFunctionArn, require('edition')];
};`;

test('functions and layers of one name in two regions know nothing of each other', async () => {
  const arnIn = (region: string, what: string): string => `arn:aws:lambda:${region}:000000000000:${what}`;
  const ZipFile = await zipWithEntry('index.js', code);
  for (const [index, client] of clients.entries()) {
    const region = regions[index] ?? '';
    await expect(client.send(new GetFunctionCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${arnIn(region, `function:${FunctionName}`)}`,
    });
    const contents = {
      ZipFile: await zipWithEntry('nodejs/node_modules/edition/index.js', `module.exports = 'of ${region}';`),
    };
    const layer = await client.send(new PublishLayerVersionCommand({ LayerName: 'edition', Content: contents }));
    expect(layer.LayerVersionArn).toBe(arnIn(region, 'layer:edition:1'));
    const made = await client.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: 'arn:aws:iam::000000000000:role/any',
        Code: { ZipFile },
        Layers: [arnIn(region, 'layer:edition:1')],
      }),
    );
    expect(made.FunctionArn).toBe(arnIn(region, `function:${FunctionName}`));
    await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName });
  }
  for (const [index, client] of clients.entries()) {
    const region = regions[index] ?? '';
    const arn = arnIn(region, `function:${FunctionName}`);
    const { Payload } = await client.send(new InvokeCommand({ FunctionName, Payload: Buffer.from('{}') }));
    expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toEqual([region, arn, `of ${region}`]);
    const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
    expect(Functions.map(({ FunctionArn }) => FunctionArn)).toEqual([arn]);
    const logs = new CloudWatchLogsClient({ endpoint: kappa.endpoint, region, credentials, maxAttempts: 1 });
    const said = await eventually('its log has the line', async () => {
      const { events = [] } = await logs.send(
        new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${FunctionName}`, filterPattern: '"said in"' }),
      );
      return events.length > 0 && events.map(({ message }) => message);
    });
    expect(said).toEqual([expect.stringContaining(`said in ${region}`)]);
    logs.destroy();
  }
  const shown = await kappa.kubectl.ok([
    'get',
    'fn',
    '-A',
    '-o',
    'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}',
  ]);
  expect(shown.trim().split(' ').sort()).toEqual(['default-eu-west-1/same-name', 'default/same-name']);
  const [here, there] = clients;
  await here?.send(new DeleteFunctionCommand({ FunctionName }));
  const still = await there?.send(new GetFunctionCommand({ FunctionName }));
  expect(still?.Configuration?.State).toBe('Active');
  await expect(
    there?.send(new InvokeCommand({ FunctionName: arnIn(home, `function:${FunctionName}`) })),
  ).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: `Functions from 'us-east-1' are not reachable in this region ('eu-west-1')`,
  });
}, 180_000);
