import {
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListAliasesCommand,
  ListTagsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  paginateListFunctions,
  paginateListVersionsByFunction,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/** A Function as kubectl shows it. */
interface FunctionJson {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const Role = 'arn:aws:iam::000000000000:role/any';
const sourceOf = (edition: string) => `export const handler = () => '${edition}';`;

let kappa: TestPlatform;
let client: LambdaClient;
let firstZip: Buffer;
let secondZip: Buffer;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  client = clientFor('us-east-1');
  firstZip = await zipWithEntry('index.mjs', sourceOf('first'));
  secondZip = await zipWithEntry('index.mjs', sourceOf('second'));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.stop();
}, 60_000);

function clientFor(region: string): LambdaClient {
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  return new LambdaClient({ endpoint: kappa.endpoint, region, credentials, maxAttempts: 1 });
}

async function create(name: string, more: Partial<CreateFunctionCommandInput> = {}): Promise<void> {
  const usual = { Runtime: 'nodejs24.x', Handler: 'index.handler', Role, Code: { ZipFile: firstZip } } as const;
  await client.send(new CreateFunctionCommand({ FunctionName: name, ...usual, ...more }));
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName: name });
}

async function invoke(name: string): Promise<unknown> {
  const { Payload } = await client.send(new InvokeCommand({ FunctionName: name }));
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

describe('what one writes the other reads', () => {
  test('a function of the API is a Function with its role, tags and the rest, by a field manager of its own', async () => {
    await create('Api_Made', {
      Tags: { team: 'a' },
      MemorySize: 256,
      Environment: { Variables: { GREETING: 'hi' } },
      VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      TracingConfig: { Mode: 'Active' },
      EphemeralStorage: { Size: 1024 },
      LoggingConfig: { LogFormat: 'JSON', LogGroup: '/own/group' },
    });
    const args = ['fn', 'api-made.n19', '--show-managed-fields'];
    const { spec, metadata } = await kappa.kubectl.json<FunctionJson>(args);
    expect(spec).toMatchObject({
      functionName: 'Api_Made',
      role: Role,
      tags: { team: 'a' },
      memoryMiB: 256,
      environment: [{ name: 'GREETING', value: 'hi' }],
      ephemeralStorageMiB: 1024,
      logging: { format: 'JSON' },
    });
    expect(metadata.managedFields?.map(({ manager }) => manager).sort()).toEqual([
      'kappa-controller',
      'kappa-lambda-api',
    ]);
    expect(await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'Api_Made' }))).toMatchObject({
      VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'], VpcId: '' },
      TracingConfig: { Mode: 'Active' },
      EphemeralStorage: { Size: 1024 },
      LoggingConfig: { LogFormat: 'JSON', LogGroup: '/own/group' },
    });
  });

  test('a function of kubectl is there for the API, and keeps what the API does not know', async () => {
    const environment = [
      { name: 'PLAIN', value: 'p' },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ];
    await kappa.kubectl.ok(['create', 'secret', 'generic', 's', '--from-literal=k=v']);
    await kappa.applyReady(nodeFunction('kubectl-made', sourceOf('inline'), { environment, idleTimeoutSeconds: 77 }));
    const FunctionName = 'kubectl-made';
    expect(await client.send(new GetFunctionCommand({ FunctionName }))).toMatchObject({
      Configuration: { State: 'Active', Environment: { Variables: { PLAIN: 'p' } }, Timeout: 3, Role: '' },
      Code: { Location: expect.stringMatching(/^http:\/\/127/) },
    });
    const Environment = { Variables: { OTHER: 'o' } };
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9, Environment }));
    await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
    await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: secondZip }));
    const { spec } = await kappa.kubectl.json<FunctionJson>(['fn', FunctionName]);
    expect(spec).toMatchObject({ timeoutSeconds: 9, idleTimeoutSeconds: 77, http: { auth: 'None' } });
    expect(spec['environment']).toEqual([{ name: 'OTHER', value: 'o' }, environment[1]]);
    expect(Object.keys(Object(spec['code']))).toEqual(['zip']);
    await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
    expect(await invoke(FunctionName)).toBe('second');
    await kappa.kubectl.ok(['delete', 'fn', FunctionName]);
    await eventually('the API knows', () =>
      client.send(new GetFunctionCommand({ FunctionName })).then(
        () => false,
        ({ name }) => name === 'ResourceNotFoundException',
      ),
    );
  });

  test('versions and aliases, too', async () => {
    await create('shared');
    const FunctionName = 'shared';
    const { Version } = await client.send(new PublishVersionCommand({ FunctionName }));
    expect(Version).toBe('1');
    await kappa.kubectl.apply({
      apiVersion: 'kappa.dev/v1alpha1',
      kind: 'Alias',
      metadata: { name: 'by-kubectl', namespace: 'default' },
      spec: { functionName: 'shared', name: 'Mine', functionVersion: '1' },
    });
    const alias = await eventually('the alias', () => client.send(new GetAliasCommand({ FunctionName, Name: 'Mine' })));
    expect(alias).toMatchObject({ FunctionVersion: '1', AliasArn: `${arnOf('shared')}:Mine` });
    const { RevisionId } = alias;
    await client.send(new UpdateAliasCommand({ FunctionName, Name: 'Mine', Description: 'changed', RevisionId }));
    const again = new UpdateAliasCommand({ FunctionName, Name: 'Mine', Description: 'again', RevisionId });
    await expect(client.send(again)).rejects.toMatchObject({ name: 'PreconditionFailedException' });
    expect(await kappa.kubectl.json(['alias', 'by-kubectl'])).toMatchObject({ spec: { description: 'changed' } });
    await client.send(new CreateAliasCommand({ FunctionName, Name: 'api', FunctionVersion: '1' }));
    const { Aliases } = await client.send(new ListAliasesCommand({ FunctionName }));
    expect(Aliases?.map(({ Name }) => Name)).toEqual(['Mine', 'api']);
    await client.send(new DeleteFunctionCommand({ FunctionName }));
    await eventually('no alias is left', async () => {
      const { items } = await kappa.kubectl.json<{ items: object[] }>([
        'aliases,fnv',
        '-l',
        'kappa.dev/function=shared',
      ]);
      return items.length === 0 && (await kappa.kubectl.run(['get', 'alias', 'by-kubectl'])).code !== 0;
    });
  });

  test('writers at the same time lose nothing', async () => {
    await create('busy');
    const keys = Array.from({ length: 12 }, (_, at) => `key${at}`);
    const Resource = arnOf('busy');
    const label = (key: string) => kappa.kubectl.ok(['patch', 'fn', 'busy', '--type=merge', '-p', patchOf(key)]);
    await Promise.all([
      ...keys.map((key) => client.send(new TagResourceCommand({ Resource, Tags: { [key]: key } }))),
      ...['a', 'b'].map(label),
      client.send(new PutFunctionConcurrencyCommand({ FunctionName: 'busy', ReservedConcurrentExecutions: 5 })),
      ...[0, 1].map(() => client.send(new PublishVersionCommand({ FunctionName: 'busy' })).catch(() => undefined)),
    ]);
    const { Tags } = await client.send(new ListTagsCommand({ Resource }));
    expect(Object.keys(Tags ?? {}).sort()).toEqual(keys.toSorted());
    const { spec, metadata } = await kappa.kubectl.json<FunctionJson>(['fn', 'busy']);
    expect(spec['concurrency']).toMatchObject({ reserved: 5 });
    expect(metadata.annotations).toMatchObject({ a: 'a', b: 'b', 'kappa.dev/last-version': expect.any(String) });
  });
});

function patchOf(key: string): string {
  return JSON.stringify({ metadata: { annotations: { [key]: key } } });
}

describe('tags, concurrency, account', () => {
  test('tags are added, changed, listed and removed', async () => {
    await create('tagged', { Tags: { a: '1', b: '2' } });
    const Resource = arnOf('tagged');
    await client.send(new TagResourceCommand({ Resource, Tags: { b: '3', 'c d': '4' } }));
    await client.send(new UntagResourceCommand({ Resource, TagKeys: ['a', 'nothing'] }));
    expect((await client.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ b: '3', 'c d': '4' });
  });

  test('reserved concurrency is kept, enforced and given back', async () => {
    const FunctionName = 'tagged';
    const before = (await client.send(new GetAccountSettingsCommand({}))).AccountLimit;
    expect(await client.send(new GetFunctionConcurrencyCommand({ FunctionName }))).not.toHaveProperty(
      'ReservedConcurrentExecutions',
    );
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    await expect(invoke(FunctionName)).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 7 }));
    expect((await client.send(new GetFunctionCommand({ FunctionName }))).Concurrency).toEqual({
      ReservedConcurrentExecutions: 7,
    });
    const { AccountLimit, AccountUsage } = await client.send(new GetAccountSettingsCommand({}));
    expect(AccountLimit).toMatchObject({
      ConcurrentExecutions: 1000,
      UnreservedConcurrentExecutions: Number(before?.UnreservedConcurrentExecutions) - 7,
    });
    expect(AccountUsage?.FunctionCount).toBeGreaterThan(0);
    await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    expect(await invoke(FunctionName)).toBe('first');
  });
});

test('lists come in pages', async () => {
  const names = Array.from({ length: 5 }, (_, at) => `page-${at}`);
  for (const FunctionName of names)
    await client.send(
      new CreateFunctionCommand({
        ...{ FunctionName, Runtime: 'python3.11', Handler: 'index.handler', Role, Code: { ZipFile: firstZip } },
      }),
    );
  const found: (string | undefined)[] = [];
  for await (const { Functions = [] } of paginateListFunctions({ client, pageSize: 2 }, {})) {
    expect(Functions.length).toBeLessThanOrEqual(2);
    found.push(...Functions.map(({ FunctionName }) => FunctionName));
  }
  expect(found.filter((name) => name?.startsWith('page-'))).toEqual(names);
  const FunctionName = 'page-0';
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
  for (const Description of ['one', 'two', 'three']) {
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description }));
    const { Version = '' } = await client.send(new PublishVersionCommand({ FunctionName }));
    const waiting = { FunctionName, Qualifier: Version };
    await waitUntilPublishedVersionActive({ client, maxWaitTime: 30, minDelay: 1 }, waiting);
  }
  const versions: (string | undefined)[] = [];
  for await (const page of paginateListVersionsByFunction({ client, pageSize: 1 }, { FunctionName }))
    versions.push(...(page.Versions ?? []).map(({ Version }) => Version));
  expect(versions).toEqual(['$LATEST', '1', '2', '3']);
}, 60_000);

test('while the controller is away an update is InProgress, and the next one is refused until it is done', async () => {
  const FunctionName = 'slow';
  await create(FunctionName);
  kappa.signal('controller', 'SIGSTOP');
  try {
    const update = () => client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: secondZip }));
    expect(await update()).toMatchObject({ State: 'Active', LastUpdateStatus: 'InProgress' });
    await expect(update()).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: `The operation cannot be performed at this time. An update is in progress for resource: ${arnOf('slow')}`,
      $metadata: { httpStatusCode: 409 },
    });
    const young = { FunctionName: 'young', Runtime: 'nodejs24.x', Handler: 'i.h', Role, Code: { ZipFile: firstZip } };
    await client.send(new CreateFunctionCommand({ ...young, Runtime: 'nodejs24.x' }));
    await expect(client.send(new PublishVersionCommand({ FunctionName: 'young' }))).rejects.toMatchObject({
      message: expect.stringMatching(/currently in the following state: Pending$/),
    });
  } finally {
    kappa.signal('controller', 'SIGCONT');
  }
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
  expect(await invoke(FunctionName)).toBe('second');
}, 60_000);
