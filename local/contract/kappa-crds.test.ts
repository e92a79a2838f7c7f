import { describe, expect, test } from '@jest/globals';
import { type Answer, type Json, patchTypes } from './api.ts';
import { kappaManifests, useCluster } from './cluster.ts';

const cluster = useCluster({ kappa: true });
const apiVersion = 'kappa.dev/v1alpha1';
let count = 0;

const post = (plural: string, body: Json): Promise<Answer> =>
  cluster.api.send('POST', cluster.path(apiVersion, plural), { body });
const patch = (plural: string, name: string, body: Json): Promise<Answer> =>
  cluster.api.send('PATCH', cluster.path(apiVersion, plural, name), { body, contentType: patchTypes.merge });

const object = (kind: string, spec: Json, name = `o${++count}`): Json => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
});
const inline = (...files: Json[]): Json => ({ inline: { files } });
const fn = (spec: Json = {}, name?: string): Json =>
  object(
    'Function',
    { runtime: 'nodejs24.x', handler: 'index.handler', code: inline({ path: 'index.mjs', content: 'x' }), ...spec },
    name,
  );
const version = (spec: Json = {}): Json =>
  object('FunctionVersion', {
    functionName: 'f',
    lambdaName: 'f',
    version: '1',
    revision: '0123456789',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: { sha256: 'a'.repeat(64), sizeBytes: 1 },
    memoryMiB: 128,
    timeoutSeconds: 3,
    ...spec,
  });
const alias = (spec: Json = {}): Json =>
  object('Alias', { functionName: 'f', name: 'live', functionVersion: '1', ...spec });
const queue = 'arn:aws:sqs:us-east-1:000000000000:q';
const mapping = (spec: Json = {}): Json =>
  object('EventSourceMapping', { functionName: 'f', eventSourceArn: queue, ...spec });
const schedule = (spec: Json = {}): Json =>
  mapping({ eventSourceArn: undefined, schedule: { expression: 'rate(1 day)' }, ...spec });
const tokenSecretRef = { name: 'door', key: 'token' };
const pool = (spec: Json = {}): Json => object('Pool', { runtime: 'nodejs24.x', ...spec });
const layer = (spec: Json = {}, name?: string): Json =>
  object('Layer', { layerName: 'Shared', version: 1, code: inline({ path: 'a.py', content: 'x' }), ...spec }, name);
const layerArn = (version: string): string => `arn:aws:lambda:us-east-1:000000000000:layer:${version}`;
const env = (...entries: Json[]): Json => ({ environment: entries });
const sha256 = 'a'.repeat(64);
const secretKeyRef = { name: 's', key: 'k' };
const byQualifier = [{ qualifier: '1', executions: 2 }];
const ownCluster = { bootstrapServers: ['kafka:9092'] };
const ownStream = { server: 'redis://cache:6379', stream: 'orders' };
const ofOwnStream = (spec: Json = {}): Json => mapping({ eventSourceArn: undefined, redis: ownStream, ...spec });
const servers = ['amqps://broker:5671'];

/** One rule of the manifests: what breaks it at creation, and the nearest thing that does not. */
type Row = readonly [message: string, field: string, refused: () => Json, accepted: () => Json];
const permission = (over: Json): Json => ({
  permissions: [{ sid: 's', action: 'lambda:InvokeFunction', principal: '*', ...over }],
});

const image = { uri: 'registry.example/shop/cart:7' };
const ofImage = (spec: Json = {}): Json => fn({ runtime: undefined, handler: undefined, code: { image }, ...spec });
const poolImage = { namespace: 'default', reference: 'registry.example/shop/cart', memoryMiB: 128 };
const ofPoolImage = (spec: Json = {}): Json => pool({ runtime: undefined, image: poolImage, ...spec });

const creation: readonly Row[] = [
  ['runtime is required', 'spec.runtime', () => fn({ runtime: undefined }), () => ofImage()],
  ['handler is required', 'spec.handler', () => fn({ handler: undefined }), () => ofImage()],
  ['an image brings its own program', 'spec.runtime', () => ofImage({ handler: 'x' }), () => ofImage()],
  [
    'a function from an image has no layers',
    'spec.layers',
    () => ofImage({ layers: [layerArn('a:1')] }),
    () => ofImage({ layers: [] }),
  ],
  [
    'imageConfig is for functions from images',
    'spec.imageConfig',
    () => fn({ imageConfig: { command: ['x'] } }),
    () => ofImage({ imageConfig: { command: ['x'] } }),
  ],
  ['exactly one of runtime and image', 'spec.runtime', () => pool({ image: poolImage }), () => ofPoolImage()],
  [
    'exactly one of inline, zip and url must be given',
    'spec.code',
    () => layer({ code: {} }),
    () => layer({ code: { zip: { sha256 } } }),
  ],
  [
    'applicationLevel and systemLevel need format: JSON',
    'spec.logging.format',
    () => fn({ logging: { format: 'Text', applicationLevel: 'WARN' } }),
    () => fn({ logging: { format: 'JSON', applicationLevel: 'WARN' } }),
  ],
  [
    'role and serviceAccountName say the same; give one of them',
    'spec.serviceAccountName',
    () => fn({ role: 'arn:aws:iam::000000000000:role/one', serviceAccountName: 'one' }),
    () => fn({ serviceAccountName: 'one' }),
  ],
  [
    'names that begin with kappa- are reserved',
    'spec.permissions[0].sid',
    () => fn(permission({ sid: 'kappa-x' })),
    () => fn(permission({ sid: 'x-kappa-' })),
  ],
  [
    'functionUrlAuthType is only for the action lambda:InvokeFunctionUrl',
    'spec.permissions[0].functionUrlAuthType',
    () => fn(permission({ functionUrlAuthType: 'None' })),
    () => fn(permission({ functionUrlAuthType: 'None', action: 'lambda:InvokeFunctionUrl' })),
  ],
  [
    'invokedViaFunctionUrl is only for the action lambda:InvokeFunction',
    'spec.permissions[0].invokedViaFunctionUrl',
    () => fn(permission({ invokedViaFunctionUrl: true, action: 'lambda:InvokeFunctionUrl' })),
    () => fn(permission({ invokedViaFunctionUrl: true })),
  ],
  [
    'metadata.name is not a Lambda function name',
    'spec.functionName',
    () => fn({}, 'with.dots'),
    () => fn({ functionName: 'With_Dots' }, 'with.dots'),
  ],
  [
    'spec.functionName is only for names',
    'spec.functionName',
    () => fn({ functionName: 'plain' }, 'not-plain'),
    () => fn({ functionName: 'plain-same' }, 'plain-same'),
  ],
  [
    'give auth for a function URL, or routes',
    'spec.http.auth',
    () => fn({ http: { routes: [] } }),
    () => fn({ http: { routes: [{ path: '/' }] } }),
  ],
  [
    'cors and invokeMode are those of the function URL and need auth',
    'spec.http.auth',
    () => fn({ http: { cors: {}, routes: [{ path: '/' }] } }),
    () => fn({ http: { auth: 'None', cors: {}, routes: [{ path: '/', cors: {} }] } }),
  ],
  [
    "'.' and '..' are no segments",
    'spec.http.routes[0].path',
    () => fn({ http: { routes: [{ path: '/a/./b' }] } }),
    () => fn({ http: { routes: [{ path: '/a/.b/{c}/{d+}' }] } }),
  ],
  [
    'exactly one of jwt and lambda must be given',
    'spec.http.routes[0].authorizer',
    () => fn({ http: { routes: [{ path: '/', authorizer: {} }] } }),
    () => fn({ http: { routes: [{ path: '/', authorizer: { lambda: { function: 'guard' } } }] } }),
  ],
  [
    'ttlSeconds needs an identitySource',
    'spec.http.routes[0].authorizer.lambda.ttlSeconds',
    () =>
      fn({
        http: {
          routes: [{ path: '/', authorizer: { lambda: { function: 'guard', identitySource: [], ttlSeconds: 5 } } }],
        },
      }),
    () => fn({ http: { routes: [{ path: '/', authorizer: { lambda: { function: 'guard', ttlSeconds: 5 } } }] } }),
  ],
  [
    'exactly one of inline, zip, url and image must be given',
    'spec.code',
    () => fn({ code: { zip: { sha256 }, ...inline({ path: 'a', content: '' }) } }),
    () => fn({ code: { zip: { sha256 } } }),
  ],
  [
    'the files together must not be longer',
    'spec.code.inline.files',
    () =>
      fn({ code: inline({ path: 'a', content: 'x'.repeat(300_000) }, { path: 'b', content: 'x'.repeat(300_000) }) }),
    () =>
      fn({ code: inline({ path: 'a', content: 'x'.repeat(300_000) }, { path: 'b', content: 'x'.repeat(200_000) }) }),
  ],
  [
    "must be a relative path with '/' between its parts",
    'spec.code.inline.files[0].path',
    () => fn({ code: inline({ path: '../up', content: '' }) }),
    () => fn({ code: inline({ path: 'lib/.hidden/a b.mjs', content: '' }) }),
  ],
  [
    'names and values together must not be longer',
    'spec.environment',
    () => fn(env({ name: 'AA', value: 'x'.repeat(3000) }, { name: 'BB', value: 'x'.repeat(3000) })),
    () => fn(env({ name: 'AA', value: 'x'.repeat(3000) }, { name: 'BB', value: 'x'.repeat(1000) })),
  ],
  [
    'exactly one of value and valueFrom must be given',
    'spec.environment[0]',
    () => fn(env({ name: 'AA' })),
    () => fn(env({ name: 'AA', value: '' })),
  ],
  [
    'two versions of one layer are not allowed',
    'spec.layers',
    () => fn({ layers: [layerArn('a:1'), layerArn('b:1'), layerArn('a:2')] }),
    () => fn({ layers: [layerArn('a:1'), layerArn('b:1'), layerArn('aa:1')] }),
  ],
  [
    "metadata.name must be the layer's name",
    'spec.version',
    () => layer({ layerName: 'shared', version: 2 }, 'shared-v1'),
    () => layer({ layerName: 'shared', version: 2 }, 'shared-v2'),
  ],
  [
    'this name is reserved by Lambda',
    'spec.environment[0].name',
    () => fn(env({ name: 'AWS_REGION', value: 'x' })),
    () => fn(env({ name: 'AWS_REGION_OF_MINE', value: 'x' })),
  ],
  [
    'names that begin with KAPPA_ are reserved',
    'spec.environment[0].name',
    () => fn(env({ name: 'KAPPA_X', value: 'x' })),
    () => fn(env({ name: 'MY_KAPPA_X', value: 'x' })),
  ],
  [
    'exactly one of secretKeyRef and configMapKeyRef',
    'spec.environment[0].valueFrom',
    () => fn(env({ name: 'AA', valueFrom: {} })),
    () => fn(env({ name: 'AA', valueFrom: { secretKeyRef } })),
  ],
  [
    'concurrency.perInstance above 1 is for the runtimes nodejs and provided',
    'spec.concurrency.perInstance',
    () => fn({ runtime: 'ruby3.4', concurrency: { perInstance: 2 } }),
    () => fn({ runtime: 'provided.al2023', concurrency: { perInstance: 128 } }),
  ],
  [
    'provisioned concurrency is for functions that take one invocation at a time',
    'spec.concurrency.perInstance',
    () => fn({ concurrency: { perInstance: 2, provisioned: 1 } }),
    () => fn({ concurrency: { perInstance: 1, provisioned: 1 } }),
  ],
  [
    'provisioned must not be greater than reserved',
    'spec.concurrency.provisioned',
    () => fn({ concurrency: { reserved: 1, provisioned: 2 } }),
    () => fn({ concurrency: { reserved: 2, provisioned: 2 } }),
  ],
  [
    'provisioned and all of provisionedByQualifier together',
    'spec.concurrency.provisionedByQualifier',
    () => fn({ concurrency: { reserved: 2, provisioned: 1, provisionedByQualifier: byQualifier } }),
    () => fn({ concurrency: { reserved: 3, provisioned: 1, provisionedByQualifier: byQualifier } }),
  ],
  [
    'maxQueueSeconds and maxQueued need onLimit: Queue',
    'spec.concurrency.onLimit',
    () => fn({ concurrency: { maxQueueSeconds: 5, maxQueued: 5 } }),
    () => fn({ concurrency: { onLimit: 'Queue', maxQueueSeconds: 5, maxQueued: 5 } }),
  ],
  ...(
    [
      ['it is rate(5 minutes), cron(', 'every day', 'rate(5 minutes)'],
      ['a rate is like', 'rate(1 minutes)', 'rate(1 minute)'],
      ['a moment is like', 'at(24.12.2026)', 'at(2026-12-24T18:00:00)'],
      ['cron has six fields', 'cron(0 10 * * ?)', 'cron(0 10 * * ? *)'],
      ['exactly one of day of month', 'cron(0 10 * * * *)', 'cron(0 10 ? * MON-FRI *)'],
      ['the minute of cron', 'cron(60 10 * * ? *)', 'cron(0/15 10 * * ? *)'],
      ['the hour of cron', 'cron(0 24 * * ? *)', 'cron(0 20-2 * * ? *)'],
      ['the day of month of cron', 'cron(0 0 32 * ? *)', 'cron(0 0 LW,15W * ? *)'],
      ['the month of cron', 'cron(0 0 1 13 ? *)', 'cron(0 0 1 NOV-FEB ? *)'],
      ['the day of week of cron', 'cron(0 0 ? * 0 *)', 'cron(0 0 ? * 3#2,6L *)'],
      ['the year of cron', 'cron(0 0 1 1 ? 1969)', 'cron(0 0 1 1 ? 2026-2028)'],
    ] as const
  ).map(
    ([message, refused, accepted]): Row => [
      message,
      'spec.schedule.expression',
      () => schedule({ schedule: { expression: refused } }),
      () => schedule({ schedule: { expression: accepted } }),
    ],
  ),
  [
    'a schedule, s3, sns and cloudEvents have no batches',
    'spec',
    () => schedule({ batchSize: 1 }),
    () => schedule({ qualifier: 'live', enabled: false }),
  ],
  ['a schedule has no records', 'spec.filters', () => schedule({ filters: [] }), () => schedule()],
  [
    'tokenSecretRef must be given',
    'spec',
    () => mapping({ eventSourceArn: undefined, cloudEvents: {} }),
    () => mapping({ eventSourceArn: undefined, cloudEvents: {}, tokenSecretRef }),
  ],
  [
    'tokenSecretRef is for s3, sns and cloudEvents',
    'spec.tokenSecretRef',
    () => schedule({ tokenSecretRef }),
    () => mapping({ eventSourceArn: undefined, s3: { prefix: 'in/' }, tokenSecretRef, filters: [] }),
  ],
  [
    'exactly one of eventSourceArn, selfManaged',
    'spec',
    () => mapping({ selfManaged: ownCluster }),
    () => mapping({ eventSourceArn: undefined, selfManaged: ownCluster }),
  ],
  [
    'servers say where the broker of eventSourceArn is',
    'spec.servers',
    () => ofOwnStream({ servers }),
    () => mapping({ eventSourceArn: 'arn:aws:mq:us-east-1:000000000000:broker:jobs:b-1', queues: ['jobs'], servers }),
  ],
  [
    'startingPositionTimestamp belongs to',
    'spec.startingPositionTimestamp',
    () => mapping({ startingPosition: 'AT_TIMESTAMP' }),
    () => mapping({ startingPosition: 'AT_TIMESTAMP', startingPositionTimestamp: '2026-11-22T00:00:00Z' }),
  ],
  [
    'maximumConcurrency and provisionedPollers exclude',
    'spec.maximumConcurrency',
    () => mapping({ maximumConcurrency: 2, provisionedPollers: { minimum: 2 } }),
    () => mapping({ maximumConcurrency: 2 }),
  ],
  [
    'maximumRecordAgeSeconds must be -1',
    'spec.maximumRecordAgeSeconds',
    () => mapping({ maximumRecordAgeSeconds: 59 }),
    () => mapping({ maximumRecordAgeSeconds: -1 }),
  ],
  ['must not consist of digits only', 'spec.name', () => alias({ name: '12' }), () => alias({ name: 'v12' })],
  [
    'the additional version must be another one',
    'spec.additionalVersion.functionVersion',
    () => alias({ additionalVersion: { functionVersion: '1', weightPercent: 5 } }),
    () => alias({ additionalVersion: { functionVersion: '2', weightPercent: 5 } }),
  ],
  [
    '$LATEST cannot share calls',
    'spec.additionalVersion',
    () => alias({ functionVersion: '$LATEST', additionalVersion: { functionVersion: '2', weightPercent: 5 } }),
    () => alias({ functionVersion: '$LATEST' }),
  ],
  [
    'minReplicas must not be greater than maxPods',
    'spec.minReplicas',
    () => pool({ minReplicas: 5, maxPods: 4 }),
    () => pool({ minReplicas: 4, maxPods: 4 }),
  ],
];

/** Rules about a change: what was, the change that is refused, a change that is not. */
type UpdateRow = readonly [message: string, field: string, before: () => Json, refused: Json, accepted: Json];
const updates: readonly UpdateRow[] = [
  [
    'functionName cannot be changed; make another Function',
    'spec.functionName',
    () => fn({ functionName: 'My_F' }),
    { spec: { functionName: 'Other_F' } },
    { spec: { memoryMiB: 256 } },
  ],
  [
    'a FunctionVersion cannot be changed',
    'spec',
    () => version(),
    { spec: { memoryMiB: 256 } },
    { metadata: { labels: { a: 'b' } } },
  ],
  [
    'functionName cannot be changed; make another Alias',
    'spec.functionName',
    () => alias(),
    { spec: { functionName: 'other' } },
    { spec: { functionVersion: '2' } },
  ],
  [
    'name cannot be changed; make another Alias',
    'spec.name',
    () => alias(),
    { spec: { name: 'other' } },
    { spec: { description: 'new' } },
  ],
  [
    'the kind of source cannot be changed',
    'spec',
    () => schedule(),
    { spec: { schedule: null, eventSourceArn: queue } },
    { spec: { schedule: { expression: 'rate(2 days)' } } },
  ],
  [
    'eventSourceArn cannot be changed',
    'spec.eventSourceArn',
    () => mapping(),
    { spec: { eventSourceArn: `${queue}2` } },
    { spec: { batchSize: 5 } },
  ],
  [
    'selfManaged cannot be changed',
    'spec.selfManaged',
    () => mapping({ eventSourceArn: undefined, selfManaged: ownCluster }),
    { spec: { selfManaged: { bootstrapServers: ['other:9092'] } } },
    { spec: { enabled: false } },
  ],
  [
    'redis cannot be changed',
    'spec.redis',
    () => ofOwnStream(),
    { spec: { redis: { stream: 'others' } } },
    { spec: { redis: ownStream, enabled: false } },
  ],
  ...['startingPosition', 'topics', 'queues'].map((field): UpdateRow => {
    const values = field === 'startingPosition' ? ['LATEST', 'TRIM_HORIZON'] : [['a'], ['b']];
    return [
      `${field} cannot be changed`,
      `spec.${field}`,
      () => mapping({ [field]: values[0] }),
      { spec: { [field]: values[1] } },
      { spec: { functionName: 'g' } },
    ];
  }),
  [
    'a version of a layer cannot be changed',
    'spec',
    () => layer(),
    { spec: { licenseInfo: 'MIT' } },
    { spec: { permissions: [{ sid: 'all', principal: '*' }] } },
  ],
  [
    'the contents of a version cannot be changed',
    'spec.code',
    () => layer(),
    { spec: { code: { inline: { files: [{ path: 'a.py', content: 'y' }] } } } },
    { spec: { code: { inline: { files: [{ path: 'a.py', content: 'x' }] } } } },
  ],
  [
    'runtime cannot be changed; make another Pool',
    'spec.runtime',
    () => pool(),
    { spec: { runtime: 'python3.13' } },
    { spec: { replicas: 3 } },
  ],
  [
    'image cannot be changed; make another Pool',
    'spec.image',
    () => ofPoolImage(),
    { spec: { image: { ...poolImage, memoryMiB: 256 } } },
    { spec: { replicas: 3 } },
  ],
];

const pluralOf: Readonly<Record<string, string>> = {
  Function: 'functions',
  FunctionVersion: 'functionversions',
  Alias: 'aliases',
  EventSourceMapping: 'eventsourcemappings',
  Layer: 'layers',
  Pool: 'pools',
};
const plural = (body: Json): string => pluralOf[body.kind] ?? '';

function expectRefusal(answer: Answer, message: string, field: string): void {
  expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid' } });
  const found = answer.body.details.causes.filter((one: Json) => one.message.includes(message));
  expect(found.map((one: Json) => one.field)).toContain(field);
}

describe('each rule at creation', () => {
  test.each(creation)('%s', async (message, field, refused, accepted) => {
    const bad = refused();
    expectRefusal(await post(plural(bad), bad), message, field);
    const good = accepted();
    const answer = await post(plural(good), good);
    expect([answer.status, answer.body.message]).toEqual([201, undefined]);
  });
});

describe('each rule on update', () => {
  test.each(updates)('%s', async (message, field, before, refused, accepted) => {
    const made = before();
    expect((await post(plural(made), made)).status).toBe(201);
    expectRefusal(await patch(plural(made), made.metadata.name, refused), message, field);
    const answer = await patch(plural(made), made.metadata.name, accepted);
    expect([answer.status, answer.body.message]).toEqual([200, undefined]);
  });
});

test('no rule of the manifests is forgotten here', async () => {
  const messages: string[] = [];
  const collect = (node: Json): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const rule of node['x-kubernetes-validations'] ?? []) messages.push(rule.message);
    for (const child of Object.values(node)) collect(child);
  };
  for (const crd of await kappaManifests()) collect(crd.spec.versions);
  const covered = [...creation, ...updates].map(([message]) => message);
  const missing = messages.filter((message) => !covered.some((one) => message.startsWith(one)));
  expect(missing).toEqual([]);
});

describe('bounds of a Function', () => {
  test.each<[spec: Json, field: string, message: string]>([
    [{ runtime: 'nodejs8.10' }, 'spec.runtime', 'Unsupported value: "nodejs8.10"'],
    [{ handler: 'a b' }, 'spec.handler', 'should match'],
    [{ http: { auth: 'None', cors: { allowHeaders: ['x-ключ'] } } }, 'spec.http.cors.allowHeaders[0]', 'should match'],
    [
      { http: { routes: [{ path: '/', cors: { exposeHeaders: ['x-a, x-b'] } }] } },
      'spec.http.routes[0].cors.exposeHeaders[0]',
      'should match',
    ],
    [{ handler: undefined }, 'spec.handler', 'Required value'],
    [{ memoryMiB: 64 }, 'spec.memoryMiB', 'spec.memoryMiB in body should be greater than or equal to 128'],
    [{ memoryMiB: 10_241 }, 'spec.memoryMiB', 'should be less than or equal to 10240'],
    [{ timeoutSeconds: 901 }, 'spec.timeoutSeconds', 'should be less than or equal to 900'],
    [{ concurrency: { perInstance: 129 } }, 'spec.concurrency.perInstance', 'should be less than or equal to 128'],
    [{ code: { url: { url: 'ftp://x/y', sha256 } } }, 'spec.code.url.url', 'should match'],
    [{ code: { zip: { sha256: 'A'.repeat(64) } } }, 'spec.code.zip.sha256', 'should match'],
    [{ http: {} }, 'spec.http.auth', 'Required value'],
    [{ http: { auth: 'Open' } }, 'spec.http.auth', 'supported values: "None", "AwsIam"'],
    [env({ name: '1A', value: '' }), 'spec.environment[0].name', 'should match'],
    [
      env({ name: 'AA', value: '' }, { name: 'AA', value: '' }),
      'spec.environment[1]',
      'Duplicate value: {"name":"AA"}',
    ],
  ])('%j', async (spec, field, message) => {
    expectRefusal(await post('functions', fn(spec)), message, field);
  });

  test('the same statement for two qualifiers, the second of one is a duplicate', async () => {
    const statement = { sid: 's', action: 'lambda:InvokeFunction', principal: '*' };
    const { body } = await post('functions', fn({ permissions: [statement, { ...statement, qualifier: 'live' }] }));
    expect(body.spec.permissions.map(({ qualifier }: Json) => qualifier)).toEqual(['', 'live']);
    const refused = await post('functions', fn({ permissions: [statement, { ...statement, qualifier: '' }] }));
    expectRefusal(refused, 'Duplicate value', 'spec.permissions[1]');
  });

  test('defaults', async () => {
    const { body } = await post('functions', fn());
    expect(body.spec).toMatchObject({
      memoryMiB: 128,
      timeoutSeconds: 3,
      description: '',
      environment: [],
      concurrency: { provisioned: 0, perInstance: 1 },
      logging: { format: 'Text' },
      idleTimeoutSeconds: 300,
    });
  });
});

test.each([
  ['functions', () => fn()],
  ['pools', () => pool()],
])('%s can be scaled', async (name, make) => {
  const made = make();
  await post(name, made);
  const scaled = await cluster.api.ok('PATCH', `${cluster.path(apiVersion, name, made.metadata.name)}/scale`, {
    body: { spec: { replicas: 2 } },
    contentType: patchTypes.merge,
  });
  expect(scaled.spec.replicas).toBe(2);
});
