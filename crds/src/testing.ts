/** Manifests that the API server must take or refuse, one per rule: for whoever tests a place where manifests are checked. */

/** One write and what becomes of it. */
export interface ManifestCase {
  /** Why, as a test's name. */
  readonly reason: string;
  /** Plural of the kind. */
  readonly plural: 'functions' | 'functionversions' | 'aliases' | 'eventsourcemappings' | 'layers' | 'pools';
  readonly object: ManifestObject;
  /** What is stored before; then the write is an update. */
  readonly before?: ManifestObject;
  /** Null: it is taken. Else the field that the refusal names, and a part of what it says. */
  readonly refused: { readonly path: string; readonly text: string } | null;
}

/** A manifest, not yet checked. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

type Spec = Readonly<Record<string, unknown>>;

const sha256 = 'ab'.repeat(32);
const specs = {
  functions: { runtime: 'nodejs24.x', handler: 'index.handler', code: { zip: { sha256 } } },
  functionversions: {
    functionName: 'hello',
    lambdaName: 'hello',
    version: '$LATEST',
    revision: '0123456789',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: { sha256, sizeBytes: 300 },
    memoryMiB: 128,
    timeoutSeconds: 3,
  },
  aliases: { functionName: 'hello', name: 'live', functionVersion: '1' },
  eventsourcemappings: { functionName: 'hello', eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:q' },
  layers: { layerName: 'Shared', version: 1, code: { zip: { sha256 } } },
  pools: { runtime: 'nodejs24.x' },
} as const;
const kinds = {
  functions: 'Function',
  functionversions: 'FunctionVersion',
  aliases: 'Alias',
  eventsourcemappings: 'EventSourceMapping',
  layers: 'Layer',
  pools: 'Pool',
} as const;

/** A manifest of that kind that is taken, with some of its spec replaced. */
export function manifestOf(plural: ManifestCase['plural'], spec: Spec = {}, name = 'hello'): ManifestObject {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: kinds[plural],
    metadata: { name, namespace: 'default' },
    spec: { ...specs[plural], ...spec },
  };
}

const taken = (reason: string, plural: ManifestCase['plural'], spec: Spec, name?: string): ManifestCase => ({
  reason,
  plural,
  object: manifestOf(plural, spec, name),
  refused: null,
});

const refused = (reason: string, spec: Spec, path: string, text: string, name?: string): ManifestCase => ({
  reason,
  plural: 'functions',
  object: manifestOf('functions', spec, name),
  refused: { path, text },
});

const update = (
  reason: string,
  plural: ManifestCase['plural'],
  before: Spec,
  after: Spec,
  answer: ManifestCase['refused'],
): ManifestCase => ({
  reason,
  plural,
  before: manifestOf(plural, before),
  object: manifestOf(plural, after),
  refused: answer,
});

const inline = (...paths: readonly string[]): Spec => ({
  code: { inline: { files: paths.map((path) => ({ path, content: 'x' })) } },
});
const variable = (entry: Spec): Spec => ({ environment: [{ name: 'OK_1', value: '' }, entry] });
const secretKeyRef = { name: 'secret', key: 'key' };
const provisioned = [
  { qualifier: '1', executions: 2 },
  { qualifier: 'live', executions: 1 },
];
const ownCluster = { eventSourceArn: undefined, selfManaged: { bootstrapServers: ['kafka:9092'] } };

const scheduled = (schedule: Spec): Spec => ({ eventSourceArn: undefined, schedule });
const schedules = [
  ...['rate(1 minute)', 'rate(5 minutes)', 'rate(12 hours)', 'rate(1 day)', 'at(2026-12-24T18:00:00)'],
  ...[
    'cron(0 10 * * ? *)',
    'cron(15 12 * * ? *)',
    'cron(0 18 ? * MON-FRI *)',
    'cron(0 8 1 * ? *)',
    'cron(0/15 * * * ? *)',
  ],
  ...['cron(0/10 * ? * MON-FRI *)', 'cron(0/5 8-17 ? * MON-FRI *)', 'cron(0/30 20-2 ? * MON-FRI *)'],
  ...[
    'cron(5 10 ? * 6L 2019-2022)',
    'cron(0 9 ? * 3#2 *)',
    'cron(0 9 ? * TUE#2 *)',
    'cron(0 0 LW 1/3 ? *)',
    'cron(5,35 14 15W,L * ? *)',
  ],
  'cron(0 0 1 NOV-FEB ? 2026,2028-2030)',
];
/** An expression and what its refusal says. */
const wrongSchedules: readonly (readonly [expression: string, text: string])[] = [
  ['every day', 'it is rate(5 minutes), cron('],
  ['rate(1 minutes)', 'singular for 1 only'],
  ['rate(0 minutes)', 'a rate is like'],
  ['rate(5 seconds)', 'a rate is like'],
  ['at(24.12.2026)', 'a moment is like'],
  ['at(2026-12-24T18:00:00Z)', 'a moment is like'],
  ['cron(0 10 * * ?)', 'six fields'],
  ['cron(0  10 * * ? *)', 'six fields'],
  ['cron(0 10 * * * *)', 'has to be ?'],
  ['cron(0 10 ? * ? *)', 'has to be ?'],
  ['cron(60 10 * * ? *)', 'the minute of cron'],
  ['cron(0 24 * * ? *)', 'the hour of cron'],
  ['cron(0 0 32 * ? *)', 'the day of month of cron'],
  ['cron(0 0 L-3 * ? *)', 'the day of month of cron'],
  ['cron(0 0 1 13 ? *)', 'the month of cron'],
  ['cron(0 0 ? * 0 *)', 'the day of week of cron'],
  ['cron(0 0 ? * FUN *)', 'the day of week of cron'],
  ['cron(0 0 1 1 ? 1969)', 'the year of cron'],
];
const redisStream = { server: 'redis://redis:6379/0', stream: 'orders' };
const pushed = { eventSourceArn: undefined, tokenSecretRef: { name: 's', key: 'k' } };
const image = { uri: 'registry.example/shop/cart:7' };
const ofImage = (spec: Spec = {}): Spec => ({ runtime: undefined, handler: undefined, code: { image }, ...spec });
const poolImage = { namespace: 'default', reference: `registry.example/shop/cart@sha256:${sha256}`, memoryMiB: 128 };

const layerArn = 'arn:aws:lambda:us-east-1:000000000000:layer:';
const ofLayer = (reason: string, before: Spec, after: Spec, path: string): ManifestCase =>
  update(reason, 'layers', before, after, { path, text: 'cannot be changed' });

const mapping = (reason: string, spec: Spec, path: string, text: string): ManifestCase => ({
  reason,
  plural: 'eventsourcemappings',
  object: manifestOf('eventsourcemappings', spec),
  refused: { path, text },
});

const mappingChanges: readonly (readonly [field: string, before: Spec, after: Spec])[] = [
  ['eventSourceArn', {}, { eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:other' }],
  ['selfManaged', ownCluster, { ...ownCluster, selfManaged: { bootstrapServers: ['other:9092'] } }],
  ['startingPosition', { startingPosition: 'LATEST' }, { startingPosition: 'TRIM_HORIZON' }],
  ['topics', { topics: ['t'] }, {}],
  ['queues', {}, { queues: ['q'] }],
];

const route = (entry: Spec): Spec => ({ path: '/pets', ...entry });
const jwt = { issuer: 'https://login.example.com/', audience: ['pets'] };
const refusedRoute = (reason: string, entry: Spec, field: string, text: string): ManifestCase =>
  refused(reason, { http: { routes: [route(entry)] } }, `spec.http.routes[0]${field}`, text);

const permission = (entry: Spec): Spec => ({ sid: 's', action: 'lambda:InvokeFunction', principal: '*', ...entry });

/** What is taken. */
export const takenManifests: readonly ManifestCase[] = [
  taken('an image', 'functions', ofImage()),
  taken(
    'an image with its own settings',
    'functions',
    ofImage({ imageConfig: { command: ['app.handler'] }, layers: [] }),
  ),
  taken('a pool of an image', 'pools', { runtime: undefined, image: poolImage }),
  taken('the least function', 'functions', {}),
  taken("Lambda's name beside the object's", 'functions', { functionName: 'My_Func' }, 'my-func'),
  taken('an encoded object name', 'functions', { functionName: 'A' }, 'a.n1'),
  taken("Lambda's name that is the object's", 'functions', { functionName: 'hello' }),
  ...['.hidden', 'a/.b/c.js', '[id].js', 'a b.txt', 'lib/@scope/x-y_z.mjs'].map((path) =>
    taken(`the path ${path}`, 'functions', inline(path)),
  ),
  taken('512 KiB of files', 'functions', {
    code: { inline: { files: [0, 1].map((n) => ({ path: `${n}.js`, content: 'x'.repeat(262_144) })) } },
  }),
  taken('a reference and an empty value', 'functions', variable({ name: 'AB', valueFrom: { secretKeyRef } })),
  taken('4 KiB of environment', 'functions', { environment: [{ name: 'AB', value: 'x'.repeat(4_094) }] }),
  taken('all reserved is provisioned', 'functions', { concurrency: { reserved: 2, provisioned: 2 } }),
  taken('all reserved is provisioned by version and alias', 'functions', {
    concurrency: { reserved: 5, provisioned: 2, provisionedByQualifier: provisioned },
  }),
  taken('several invocations at once in a pod', 'functions', { concurrency: { perInstance: 128, reserved: 5 } }),
  taken('several in a runtime of its own', 'functions', {
    runtime: 'provided.al2023',
    concurrency: { perInstance: 2 },
  }),
  taken('calls above a limit wait', 'functions', { concurrency: { onLimit: 'Queue' } }),
  taken('they wait as long and as many as it says', 'functions', {
    concurrency: { reserved: 1, onLimit: 'Queue', maxQueueSeconds: 300, maxQueued: 10_000 },
  }),
  taken('an open URL with CORS', 'functions', {
    http: { auth: 'None', cors: { allowOrigins: ['*'], allowMethods: ['GET', '*'] } },
  }),
  taken('a URL that the policy opens', 'functions', { http: { auth: 'Policy', invokeMode: 'ResponseStream' } }),
  taken('routes of HTTP APIs and no URL', 'functions', {
    http: {
      routes: [
        route({ path: '/' }),
        route({ path: '/{proxy+}', methods: ['GET', 'ANY'], payloadFormat: '1.0', stage: '$default' }),
        route({ host: 'pets.example.com', path: '/pets/{id}/.well-known', stage: 'v1', authorizer: { jwt } }),
        route({ authorizer: { lambda: { function: 'guard:live', identitySource: [] } } }),
        route({ cors: { allowMethods: ['OPTIONS', '*'] }, throttle: { ratePerSecond: 1, burst: 1 } }),
      ],
    },
  }),
  taken('routes beside a URL', 'functions', {
    http: { auth: 'AwsIam', invokeMode: 'ResponseStream', routes: [route({})] },
  }),
  taken('a ServiceAccount', 'functions', { serviceAccountName: 'team.deployer-1' }),
  taken('a resource policy', 'functions', {
    permissions: [
      permission({ principal: '111111111111' }),
      permission({
        qualifier: 'live',
        principal: 's3.amazonaws.com',
        sourceArn: 'arn:aws:s3:::b',
        sourceAccount: '000000000000',
      }),
      permission({ sid: 'url', action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'None' }),
      permission({ sid: 'via', invokedViaFunctionUrl: true }),
    ],
  }),
  taken('an alias with a URL', 'aliases', { http: { auth: 'AwsIam' } }),
  taken('a version', 'functionversions', {}),
  taken('an alias of $LATEST', 'aliases', { functionVersion: '$LATEST' }),
  taken('a queue for a function', 'eventsourcemappings', {}),
  taken('an own cluster for an alias, from some time on', 'eventsourcemappings', {
    ...ownCluster,
    qualifier: 'live',
    topics: ['t'],
    startingPosition: 'AT_TIMESTAMP',
    startingPositionTimestamp: '2026-11-22T00:00:00Z',
    maximumRecordAgeSeconds: -1,
  }),
  ...schedules.map((expression) =>
    taken(`the schedule ${expression}`, 'eventsourcemappings', scheduled({ expression })),
  ),
  taken('a schedule with all that it may have', 'eventsourcemappings', {
    ...scheduled({
      expression: 'cron(0 2 * * ? *)',
      timezone: 'America/Argentina/Buenos_Aires',
      start: '2026-11-22T00:00:00Z',
      end: '2027-11-22T00:00:00Z',
      input: '{"job": 1}',
      missed: 'All',
    }),
    qualifier: 'live',
  }),
  taken('what a bucket tells', 'eventsourcemappings', {
    ...pushed,
    s3: {
      buckets: ['b'],
      events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:Delete', 's3:*'],
      prefix: 'in/',
      suffix: '.png',
    },
    filters: [{ pattern: '{}' }],
  }),
  taken('a topic', 'eventsourcemappings', {
    eventSourceArn: undefined,
    sns: { topicArn: 'arn:aws:sns:us-east-1:123456789012:t' },
  }),
  taken('a broker', 'eventsourcemappings', { servers: ['amqps://b-1.mq:5671'], queues: ['orders'] }),
  taken('a stream of Redis', 'eventsourcemappings', { eventSourceArn: undefined, redis: redisStream }),
  taken('CloudEvents', 'eventsourcemappings', { ...pushed, cloudEvents: { types: ['a.b'] } }),
  update('a mapping that is paused', 'eventsourcemappings', {}, { enabled: false, batchSize: 5 }, null),
  taken('a version of a layer', 'layers', {}),
  taken('a version of a layer with a plain name', 'layers', { layerName: 'shared', version: 7 }, 'shared-v7'),
  taken('five layers', 'functions', { layers: ['a', 'b', 'c', 'd', 'e'].map((layer) => `${layerArn}${layer}:1`) }),
  update('new permissions of a layer', 'layers', {}, { permissions: [{ sid: 'all', principal: '*' }] }, null),
  taken('a pool', 'pools', {}),
  update('a version that stays the same', 'functionversions', {}, {}, null),
  update(
    'an alias that moves and shares',
    'aliases',
    {},
    { functionVersion: '2', additionalVersion: { functionVersion: '1', weightPercent: 90 } },
    null,
  ),
];

/** What is refused. */
export const refusedManifests: readonly ManifestCase[] = [
  refused(
    'an object name that is no Lambda name',
    {},
    'spec.functionName',
    'give the name in spec.functionName',
    'a.b',
  ),
  refused('an object name that is too long for Lambda', {}, 'spec.functionName', 'at most 64', 'a'.repeat(65)),
  refused(
    'a second name that the object could have',
    { functionName: 'other' },
    'spec.functionName',
    'name the object so instead',
  ),
  update(
    'another functionName',
    'functions',
    { functionName: 'A_' },
    { functionName: 'B_' },
    { path: 'spec.functionName', text: 'cannot be changed' },
  ),
  update(
    'a functionName removed',
    'functions',
    { functionName: 'A_' },
    {},
    { path: 'spec.functionName', text: 'cannot be changed' },
  ),
  update(
    'a functionName added',
    'functions',
    {},
    { functionName: 'A_' },
    { path: 'spec.functionName', text: 'cannot be changed' },
  ),
  refused('no code', { code: {} }, 'spec.code', 'exactly one of inline, zip, url and image'),
  refused(
    'neither URL nor routes',
    { http: { routes: [] } },
    'spec.http.auth',
    'give auth for a function URL, or routes',
  ),
  refused(
    'a mode of a URL that there is not',
    { http: { invokeMode: 'ResponseStream', routes: [route({})] } },
    'spec.http.auth',
    'need auth',
  ),
  refusedRoute('a path with dots that no request has', { path: '/a/../b' }, '.path', 'no segments of a path'),
  refusedRoute('an authorizer of no kind', { authorizer: {} }, '.authorizer', 'exactly one of jwt and lambda'),
  refusedRoute(
    'an authorizer of two kinds',
    { authorizer: { jwt, lambda: { function: 'guard' } } },
    '.authorizer',
    'exactly one of jwt and lambda',
  ),
  refusedRoute(
    'answers of an authorizer kept by nothing',
    { authorizer: { lambda: { function: 'guard', identitySource: [], ttlSeconds: 1 } } },
    '.authorizer.lambda.ttlSeconds',
    'needs an identitySource',
  ),
  refused(
    'two codes',
    { code: { zip: { sha256 }, url: { url: 'https://example.com', sha256 } } },
    'spec.code',
    'exactly one of inline, zip, url and image',
  ),
  ...['/etc/x', '../x', 'a/../b', '.', 'a//b', 'a/', './a', 'a\\b'].map((path) =>
    refused(`the path ${path}`, inline(path), 'spec.code.inline.files[0].path', 'relative path'),
  ),
  refused(
    'more than 512 KiB of files',
    { code: { inline: { files: [0, 1].map((n) => ({ path: `${n}.js`, content: 'x'.repeat(262_145) })) } } },
    'spec.code.inline.files',
    '524,288',
  ),
  refused(
    'a role and a ServiceAccount',
    { role: 'arn:aws:iam::000000000000:role/r', serviceAccountName: 'r' },
    'spec.serviceAccountName',
    'role and serviceAccountName say the same',
  ),
  refused(
    'a value and a reference',
    variable({ name: 'AB', value: '', valueFrom: { secretKeyRef } }),
    'spec.environment[1]',
    'exactly one of value and valueFrom',
  ),
  refused(
    'neither value nor reference',
    variable({ name: 'AB' }),
    'spec.environment[1]',
    'exactly one of value and valueFrom',
  ),
  refused(
    'two references',
    variable({ name: 'AB', valueFrom: { secretKeyRef, configMapKeyRef: secretKeyRef } }),
    'spec.environment[1].valueFrom',
    'exactly one of secretKeyRef and configMapKeyRef',
  ),
  refused(
    "one of Lambda's names",
    variable({ name: 'AWS_REGION', value: 'x' }),
    'spec.environment[1].name',
    'reserved by Lambda',
  ),
  refused("one of Kappa's names", variable({ name: 'KAPPA_X', value: 'x' }), 'spec.environment[1].name', 'KAPPA_'),
  refused(
    'more than 4 KiB of environment',
    { environment: [{ name: 'AB', value: 'x'.repeat(4_095) }] },
    'spec.environment',
    '4,096',
  ),
  refused(
    'more provisioned than reserved',
    { concurrency: { reserved: 1, provisioned: 2 } },
    'spec.concurrency.provisioned',
    'greater than reserved',
  ),
  update(
    'more provisioned than reserved, later',
    'functions',
    { concurrency: { reserved: 2, provisioned: 2 } },
    { concurrency: { reserved: 1, provisioned: 2 } },
    { path: 'spec.concurrency.provisioned', text: 'greater than reserved' },
  ),
  refused(
    'several invocations at once where the runtime takes one',
    { runtime: 'python3.13', concurrency: { perInstance: 2 } },
    'spec.concurrency.perInstance',
    'for the runtimes nodejs and provided',
  ),
  refused(
    'several invocations at once in provisioned pods',
    { concurrency: { perInstance: 2, provisioned: 1 } },
    'spec.concurrency.perInstance',
    'one invocation at a time in each environment',
  ),
  refused(
    'more provisioned by version and alias than reserved',
    { concurrency: { reserved: 4, provisioned: 2, provisionedByQualifier: provisioned } },
    'spec.concurrency.provisionedByQualifier',
    'together must not be greater than reserved',
  ),
  refused(
    'levels of a text log',
    { logging: { systemLevel: 'WARN' } },
    'spec.logging.format',
    'applicationLevel and systemLevel need format: JSON',
  ),
  refused(
    'a bound of a queue that is not there',
    { concurrency: { maxQueued: 5 } },
    'spec.concurrency.onLimit',
    'need onLimit: Queue',
  ),
  refused(
    'a wait where calls are refused',
    { concurrency: { onLimit: 'Reject', maxQueueSeconds: 5 } },
    'spec.concurrency.onLimit',
    'need onLimit: Queue',
  ),
  refused(
    'a statement with a reserved name',
    { permissions: [permission({ sid: 'kappa-x' })] },
    'spec.permissions[0].sid',
    'reserved',
  ),
  refused(
    'a kind of URL for Invoke',
    { permissions: [permission({ functionUrlAuthType: 'None' })] },
    'spec.permissions[0].functionUrlAuthType',
    'only for the action lambda:InvokeFunctionUrl',
  ),
  refused(
    'a way of Invoke for a URL',
    { permissions: [permission({ action: 'lambda:InvokeFunctionUrl', invokedViaFunctionUrl: true })] },
    'spec.permissions[0].invokedViaFunctionUrl',
    'only for the action lambda:InvokeFunction',
  ),
  update(
    'a version that is changed',
    'functionversions',
    {},
    { handler: 'other.handler' },
    { path: 'spec', text: 'cannot be changed' },
  ),
  {
    reason: 'an alias of digits',
    plural: 'aliases',
    object: manifestOf('aliases', { name: '12' }),
    refused: { path: 'spec.name', text: 'digits only' },
  },
  update('an alias renamed', 'aliases', {}, { name: 'other' }, { path: 'spec.name', text: 'cannot be changed' }),
  update(
    'an alias of another function',
    'aliases',
    {},
    { functionName: 'other' },
    { path: 'spec.functionName', text: 'cannot be changed' },
  ),
  update(
    'an alias that shares with itself',
    'aliases',
    {},
    { additionalVersion: { functionVersion: '1', weightPercent: 1 } },
    { path: 'spec.additionalVersion.functionVersion', text: 'another one' },
  ),
  update(
    'an alias that shares with $LATEST',
    'aliases',
    {},
    { additionalVersion: { functionVersion: '$LATEST', weightPercent: 1 } },
    { path: 'spec.additionalVersion', text: '$LATEST' },
  ),
  refused('no runtime', { runtime: undefined }, 'spec.runtime', 'runtime is required'),
  refused('no handler', { handler: undefined }, 'spec.handler', 'handler is required'),
  refused('an image and a runtime', ofImage({ runtime: 'nodejs24.x' }), 'spec.runtime', 'brings its own program'),
  refused('an image and a handler', ofImage({ handler: 'app.handler' }), 'spec.runtime', 'imageConfig.command'),
  refused('an image with layers', ofImage({ layers: [`${layerArn}a:1`] }), 'spec.layers', 'has no layers'),
  refused('settings of an image for a zip', { imageConfig: {} }, 'spec.imageConfig', 'for functions from images'),
  {
    reason: 'a pool of nothing',
    plural: 'pools',
    object: manifestOf('pools', { runtime: undefined }),
    refused: { path: 'spec.runtime', text: 'exactly one of' },
  },
  update(
    'a pool of another image',
    'pools',
    { runtime: undefined, image: poolImage },
    { runtime: undefined, image: { ...poolImage, memoryMiB: 256 } },
    { path: 'spec.image', text: 'cannot be changed' },
  ),
  update(
    'a pool of another runtime',
    'pools',
    {},
    { runtime: 'nodejs22.x' },
    { path: 'spec.runtime', text: 'cannot be changed' },
  ),
  {
    reason: 'a floor above the roof',
    plural: 'pools',
    object: manifestOf('pools', { minReplicas: 300 }),
    refused: { path: 'spec.minReplicas', text: 'greater than maxPods' },
  },
  refused(
    'two versions of one layer',
    { layers: [`${layerArn}a:1`, `${layerArn}b:1`, `${layerArn}a:2`] },
    'spec.layers',
    'two versions of one layer',
  ),
  {
    reason: 'a layer version that is named otherwise',
    plural: 'layers',
    object: manifestOf('layers', { layerName: 'shared' }, 'shared'),
    refused: { path: 'spec.version', text: "'-v' and the version" },
  },
  ofLayer('another version number', {}, { version: 2 }, 'spec'),
  ofLayer('another licence', {}, { licenseInfo: 'MIT' }, 'spec'),
  {
    reason: 'a layer of nothing',
    plural: 'layers',
    object: manifestOf('layers', { code: {} }),
    refused: { path: 'spec.code', text: 'exactly one of' },
  },
  ofLayer('other contents', {}, { code: { zip: { sha256: 'cd'.repeat(32) } } }, 'spec.code'),
  ...wrongSchedules.map(([expression, text]) =>
    mapping(`the schedule ${expression}`, scheduled({ expression }), 'spec.schedule.expression', text),
  ),

  mapping(
    'a schedule with a batch',
    { ...scheduled({ expression: 'rate(1 day)' }), batchSize: 1 },
    'spec',
    'have no batches',
  ),
  mapping(
    'a schedule with filters',
    { ...scheduled({ expression: 'rate(1 day)' }), filters: [] },
    'spec.filters',
    'no records',
  ),
  mapping('a bucket without a token', { eventSourceArn: undefined, s3: {} }, 'spec', 'tokenSecretRef must be given'),
  mapping(
    'an unsigned topic without a token',
    { eventSourceArn: undefined, sns: { topicArn: 'arn:aws:sns:us-east-1:123456789012:t', verify: 'Token' } },
    'spec',
    'tokenSecretRef must be given',
  ),
  mapping(
    'a token of a queue',
    { tokenSecretRef: { name: 's', key: 'k' } },
    'spec.tokenSecretRef',
    'is for s3, sns and cloudEvents',
  ),

  update(
    'a schedule that becomes a bucket',
    'eventsourcemappings',
    scheduled({ expression: 'rate(1 day)' }),
    { ...pushed, s3: {} },
    { path: 'spec', text: 'the kind of source cannot be changed' },
  ),
  update(
    'another stream of Redis',
    'eventsourcemappings',
    { eventSourceArn: undefined, redis: redisStream },
    { eventSourceArn: undefined, redis: { ...redisStream, stream: 'others' } },
    { path: 'spec.redis', text: 'redis cannot be changed' },
  ),
  mapping(
    'servers of nothing',
    { eventSourceArn: undefined, redis: redisStream, servers: ['amqps://b-1.mq:5671'] },
    'spec.servers',
    'servers say where the broker',
  ),
  mapping('a mapping of nothing', { eventSourceArn: undefined }, 'spec', 'exactly one of'),
  mapping('a mapping of two sources', { selfManaged: ownCluster.selfManaged }, 'spec', 'exactly one of'),
  mapping(
    'a time to begin at, for a position that has none',
    { startingPosition: 'LATEST', startingPositionTimestamp: '2026-11-22T00:00:00Z' },
    'spec.startingPositionTimestamp',
    'AT_TIMESTAMP',
  ),
  mapping(
    'two ways to bound what runs at once',
    { maximumConcurrency: 2, provisionedPollers: {} },
    'spec.maximumConcurrency',
    'exclude each other',
  ),
  mapping('an age below a minute', { maximumRecordAgeSeconds: 59 }, 'spec.maximumRecordAgeSeconds', 'at least 60'),
  ...mappingChanges.map(([field, before, after]) =>
    update(
      `another ${field}`,
      'eventsourcemappings',
      { ...before },
      { ...after },
      { path: `spec.${field}`, text: 'cannot be changed' },
    ),
  ),
];
