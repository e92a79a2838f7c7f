import { type ManifestCase, taken, update } from './testing-manifest.ts';
import {
  inline,
  jwt,
  layerArn,
  ofImage,
  ownCluster,
  permission,
  poolImage,
  provisioned,
  pushed,
  redisStream,
  route,
  scheduled,
  secretKeyRef,
  variable,
} from './testing-parts.ts';

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
/** Manifests that the API server must take: for whoever tests a place where manifests are checked. */
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
