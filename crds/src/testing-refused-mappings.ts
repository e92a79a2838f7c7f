import { type ManifestCase, manifestOf, type Spec, update } from './testing-manifest.ts';
import { ownCluster, pushed, redisStream, scheduled } from './testing-parts.ts';

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

/** Mappings that the API server must refuse, one for each rule. */
export const refusedMappings: readonly ManifestCase[] = [
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
