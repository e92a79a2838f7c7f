import {
  CreateEventSourceMappingCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionRecursionConfigCommand,
  GetRuntimeManagementConfigCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  PutRuntimeManagementConfigCommand,
  TagResourceCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * What the Lambda API keeps beside functions, versions and aliases, by the `aws` command; and that kubectl sees the same.
 */

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:kept';
const queue = 'arn:aws:sqs:us-east-1:000000000000:jobs';
const named = ['--function-name', 'kept'];

/** An object as kubectl shows it. */
interface Shown {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

let kappa: TestPlatform;
let aws: AwsCli;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
  await kappa.applyReady(nodeFunction('kept', 'export const handler = () => 1;'));
  await aws.lambda('publish-version', ...named);
  await aws.lambda('create-alias', ...named, '--name', 'Live', '--function-version', '1');
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
}, 60_000);

const shown = () => kappa.kubectl.json<Shown>(['fn', 'kept']);

describe('event invoke configurations', () => {
  test('put, get, update, list, delete', async () => {
    const live = [...named, '--qualifier', 'Live'];
    const made = await aws.lambda(
      'put-function-event-invoke-config',
      ...live,
      ...['--maximum-retry-attempts', '1', '--maximum-event-age-in-seconds', '60'],
      ...['--destination-config', `OnFailure={Destination=${queue}}`],
    );
    const config = {
      LastModified: expect.anything(),
      FunctionArn: `${arn}:Live`,
      MaximumRetryAttempts: 1,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnSuccess: {}, OnFailure: { Destination: queue } },
    };
    expect(made).toEqual(config);
    expect(await aws.lambda('get-function-event-invoke-config', ...live)).toEqual(config);
    await aws.lambda('update-function-event-invoke-config', ...live, '--maximum-retry-attempts', '0');
    await aws.lambda('put-function-event-invoke-config', ...named, '--maximum-retry-attempts', '2');
    const { FunctionEventInvokeConfigs } = await aws.lambda<{ FunctionEventInvokeConfigs: object[] }>(
      'list-function-event-invoke-configs',
      ...named,
      ...['--page-size', '1'],
    );
    expect(FunctionEventInvokeConfigs).toMatchObject([
      { FunctionArn: `${arn}:$LATEST`, MaximumRetryAttempts: 2 },
      { ...config, MaximumRetryAttempts: 0 },
    ]);
    await aws.lambda('delete-function-event-invoke-config', ...named);
    expect(await aws.refusal('get-function-event-invoke-config', ...named)).toBe(
      `ResourceNotFoundException: The function ${arn}:$LATEST doesn't have an EventInvokeConfig`,
    );
  });

  test('kubectl sees them, and what it changes the API answers', async () => {
    expect((await shown()).spec['eventInvoke']).toMatchObject([
      { qualifier: 'Live', maximumRetryAttempts: 0, maximumEventAgeSeconds: 60, onFailure: queue },
    ]);
    const patch = { spec: { eventInvoke: [{ qualifier: '1', maximumEventAgeSeconds: 120 }] } };
    await kappa.kubectl.ok(['patch', 'fn', 'kept', '--type=merge', '-p', JSON.stringify(patch)]);
    const config = await aws.lambda('get-function-event-invoke-config', ...named, '--qualifier', '1');
    expect(config).toEqual({
      FunctionArn: `${arn}:1`,
      MaximumEventAgeInSeconds: 120,
      DestinationConfig: { OnSuccess: {}, OnFailure: {} },
    });
  });
});

test('recursion: put and get, and no pod is started anew for it', async () => {
  const before = (await kappa.kubectl.json<{ status: object }>(['fn', 'kept'])).status;
  expect(await aws.lambda('get-function-recursion-config', ...named)).toEqual({ RecursiveLoop: 'Terminate' });
  await aws.lambda('put-function-recursion-config', ...named, '--recursive-loop', 'Allow');
  expect(await aws.lambda('get-function-recursion-config', ...named)).toEqual({ RecursiveLoop: 'Allow' });
  const after = await kappa.kubectl.json<{ spec: object; status: object }>(['fn', 'kept']);
  expect(after.spec).toMatchObject({ recursiveLoop: 'Allow' });
  expect(Object(after.status)['latestVersion']).toBe(Object(before)['latestVersion']);
});

test('runtime management: for each version its own, and no new version comes of it', async () => {
  const pinned = 'arn:aws:lambda:us-east-1::runtime:abcdef';
  const manual = ['--update-runtime-on', 'Manual', '--runtime-version-arn', pinned];
  await aws.lambda('put-runtime-management-config', ...named, '--qualifier', '1', ...manual);
  await aws.lambda('put-runtime-management-config', ...named, '--update-runtime-on', 'FunctionUpdate');
  expect(await aws.lambda('get-runtime-management-config', ...named, '--qualifier', '1')).toEqual({
    UpdateRuntimeOn: 'Manual',
    RuntimeVersionArn: pinned,
    FunctionArn: `${arn}:1`,
  });
  expect(await aws.lambda('get-runtime-management-config', ...named)).toEqual({
    UpdateRuntimeOn: 'FunctionUpdate',
    FunctionArn: `${arn}:$LATEST`,
  });
  expect(await aws.lambda('publish-version', ...named)).toMatchObject({ Version: '1' });
});

test('code signing: there is none, in Lambda’s words', async () => {
  const config = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0';
  const of = ['--code-signing-config-arn', config];
  expect(await aws.lambda('list-code-signing-configs')).toEqual({ CodeSigningConfigs: [] });
  expect((await aws.lambda<object | undefined>('get-function-code-signing-config', ...named)) ?? {}).toEqual({});
  await aws.lambda('delete-function-code-signing-config', ...named);
  for (const operation of ['get-code-signing-config', 'delete-code-signing-config', 'update-code-signing-config'])
    expect(await aws.refusal(operation, ...of)).toMatch(/^ResourceNotFoundException: .* can not be found\.$/);
  expect(await aws.refusal('list-functions-by-code-signing-config', ...of)).toMatch(/^ResourceNotFoundException/);
  expect(await aws.refusal('put-function-code-signing-config', ...named, ...of)).toMatch(
    /^CodeSigningConfigNotFoundException: The code signing configuration cannot be found/,
  );
  const profile = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/1';
  expect(
    await aws.refusal('create-code-signing-config', '--allowed-publishers', `SigningProfileVersionArns=${profile}`),
  ).toMatch(/^NotImplementedException: CreateCodeSigningConfig is not supported: code signing is not available/);
});

describe('event source mappings', () => {
  interface Found {
    readonly UUID: string;
    readonly State: string;
    readonly StateTransitionReason: string;
  }
  let UUID = '';

  test('create, get, update: the State says what becomes of it, and why it is not read', async () => {
    const made = await aws.lambda<Found>(
      'create-event-source-mapping',
      ...['--function-name', 'kept:Live', '--event-source-arn', queue, '--batch-size', '5'],
      ...['--filter-criteria', '{"Filters":[{"Pattern":"{\\"body\\":[\\"a\\"]}"}]}'],
      ...['--scaling-config', 'MaximumConcurrency=3', '--function-response-types', 'ReportBatchItemFailures'],
    );
    ({ UUID } = made);
    expect(made).toMatchObject({
      UUID: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      EventSourceArn: queue,
      FunctionArn: `${arn}:Live`,
      BatchSize: 5,
      MaximumBatchingWindowInSeconds: 0,
      ScalingConfig: { MaximumConcurrency: 3 },
      State: 'Creating',
      StateTransitionReason: 'USER_INITIATED',
    });
    const { State: _, StateTransitionReason: __, ...parameters } = made;
    const inTheWay = await eventually('it is told that nobody said where the queue is', async () => {
      const found = await aws.lambda<Found>('get-event-source-mapping', '--uuid', UUID);
      return found.State === 'Enabled' && found;
    });
    expect(inTheWay).toMatchObject({
      ...parameters,
      StateTransitionReason: expect.stringContaining('AWS_ENDPOINT_URL_SQS'),
      LastProcessingResult: expect.stringMatching(/^PROBLEM: nobody has said where/),
    });
    const updated = await aws.lambda(
      'update-event-source-mapping',
      '--uuid',
      UUID,
      '--no-enabled',
      '--batch-size',
      '7',
    );
    expect(updated).toMatchObject({
      BatchSize: 7,
      State: expect.stringMatching(/^Disabl(ing|ed)$/),
      StateTransitionReason: 'USER_INITIATED',
      FunctionArn: `${arn}:Live`,
    });
    await eventually('it is off', async () => {
      const { State } = await aws.lambda<Found>('get-event-source-mapping', '--uuid', UUID);
      return State === 'Disabled';
    });
    expect(
      await aws.refusal('create-event-source-mapping', '--function-name', 'kept:Live', '--event-source-arn', queue),
    ).toBe(
      `ResourceConflictException: An event source mapping with SQS arn (" ${queue} ") and function (" kept ") already exists. Please update or delete the existing mapping with UUID ${UUID}`,
    );
  });

  test('tags', async () => {
    const of = ['--resource', `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`];
    await aws.lambda('tag-resource', ...of, '--tags', 'a=1,b=2');
    await aws.lambda('untag-resource', ...of, '--tag-keys', 'a');
    expect(await aws.lambda('list-tags', ...of)).toEqual({ Tags: { b: '2' } });
  });

  test('kubectl sees it, and makes one that the API sees', async () => {
    const { items } = await kappa.kubectl.json<{ items: Shown[] }>(['esm']);
    expect(items.map(({ metadata, spec }) => [metadata.uid, spec])).toEqual([
      [
        UUID,
        {
          functionName: 'kept',
          qualifier: 'Live',
          enabled: false,
          eventSourceArn: queue,
          batchSize: 7,
          filters: [{ pattern: '{"body":["a"]}' }],
          maximumConcurrency: 3,
          reportBatchItemFailures: true,
          tags: { b: '2' },
        },
      ],
    ]);
    await kappa.kubectl.apply({
      apiVersion: 'kappa.dev/v1alpha1',
      kind: 'EventSourceMapping',
      metadata: { name: 'orders', namespace: 'default' },
      spec: {
        functionName: 'kept',
        selfManaged: { bootstrapServers: ['kafka:9092'] },
        topics: ['orders'],
        startingPosition: 'TRIM_HORIZON',
      },
    });
    const { EventSourceMappings: all } = await aws.lambda<{ EventSourceMappings: { FunctionArn: string }[] }>(
      'list-event-source-mappings',
      ...['--page-size', '1'],
    );
    expect(all.map(({ FunctionArn }) => FunctionArn).sort()).toEqual([arn, `${arn}:Live`]);
    const { EventSourceMappings: own } = await aws.lambda<{ EventSourceMappings: object[] }>(
      'list-event-source-mappings',
      ...named,
    );
    expect(own).toMatchObject([
      {
        SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['kafka:9092'] } },
        Topics: ['orders'],
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 100,
        SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: expect.any(String) },
      },
    ]);
    const bySource = ['--event-source-arn', queue];
    expect(await aws.lambda('list-event-source-mappings', ...bySource)).toMatchObject({
      EventSourceMappings: [{ UUID }],
    });
  });

  test('kubectl shows how it is, and the object has events', async () => {
    const columns = await eventually('the status is there', async () => {
      const { stdout } = await kappa.kubectl.run(['get', 'esm', '--no-headers']);
      return / Enabled +Unreachable +PROBLEM: /.test(stdout) && stdout; // no such host as kafka
    });
    expect(columns).toMatch(/^orders +kept .*Enabled/m);
    expect(columns).toMatch(/ Disabled +Disabled /);
    const { items } = await kappa.kubectl.json<{ items: { regarding: { name: string }; reason: string }[] }>([
      'events.events.k8s.io',
    ]);
    expect(items.filter(({ reason }) => reason === 'InvalidSource').length).toBeGreaterThan(0);
  });

  test('what cannot be changed is refused by the API server itself', async () => {
    const { stderr } = await kappa.kubectl.run([
      'patch',
      'esm',
      'orders',
      '--type=merge',
      '-p',
      '{"spec":{"topics":["x"]}}',
    ]);
    expect(stderr).toContain('topics cannot be changed; make another EventSourceMapping');
  });

  test('delete', async () => {
    expect(await aws.lambda('delete-event-source-mapping', '--uuid', UUID)).toMatchObject({ UUID, State: 'Deleting' });
    expect(await aws.refusal('get-event-source-mapping', '--uuid', UUID)).toBe(
      'ResourceNotFoundException: The resource you requested does not exist.',
    );
    const { items } = await kappa.kubectl.json<{ items: Shown[] }>(['esm']);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['orders']);
  });
});

test('writers at the same time lose no field', async () => {
  const FunctionName = 'kept';
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  const client = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  const { UUID } = await client.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: queue }));
  const versions = ['1', '$LATEST'];
  const patch = (spec: object) => ['patch', 'fn', 'kept', '--type=merge', '-p', JSON.stringify({ spec })];
  await Promise.all([
    ...versions.map((Qualifier) =>
      client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, Qualifier, MaximumRetryAttempts: 2 })),
    ),
    ...versions.map((Qualifier) =>
      client.send(
        new PutRuntimeManagementConfigCommand({ FunctionName, Qualifier, UpdateRuntimeOn: 'FunctionUpdate' }),
      ),
    ),
    client.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' })),
    client.send(new TagResourceCommand({ Resource: arn, Tags: { a: 'b' } })),
    client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 5 })),
    client.send(
      new PutProvisionedConcurrencyConfigCommand({
        ...{ FunctionName, Qualifier: '1', ProvisionedConcurrentExecutions: 1 },
      }),
    ),
    kappa.kubectl.ok(patch({ description: 'by kubectl' })),
    kappa.kubectl.ok(patch({ idleTimeoutSeconds: 77 })),
    client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 3 })),
    client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false })),
  ]);
  for (const Qualifier of versions) {
    const events = await client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier }));
    expect(events).toMatchObject({ MaximumRetryAttempts: 2 });
    const runtimes = await client.send(new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier }));
    expect(runtimes).toMatchObject({ UpdateRuntimeOn: 'FunctionUpdate' });
  }
  expect(await client.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).toMatchObject({
    RecursiveLoop: 'Allow',
  });
  expect((await shown()).spec).toMatchObject({
    description: 'by kubectl',
    idleTimeoutSeconds: 77,
    tags: { a: 'b' },
    concurrency: { reserved: 5, provisionedByQualifier: [{ qualifier: '1', executions: 1 }] },
  });
  expect(await aws.lambda('get-event-source-mapping', '--uuid', UUID ?? '')).toMatchObject({
    BatchSize: 3,
    StateTransitionReason: 'USER_INITIATED',
  });
  client.destroy();
});
