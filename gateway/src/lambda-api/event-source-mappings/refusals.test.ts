import { beforeEach, expect, test } from '@jest/globals';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import { TestApi, testArn } from '../testing-call.ts';
import { createMapping } from './mappings.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:q';
const stream = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';
const own = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['kafka:9092'] } };
let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', {}, 1);
});

const create = (input: object, name = 'f', qualifier: string | null = null) =>
  createMapping(api.call({ FunctionName: name, ...input }, name, qualifier), api.deps);
const stored = () => api.kubernetes.list(eventSourceMappings, { namespace: 'default' });

const position = { StartingPosition: 'LATEST' };
const broker = 'arn:aws:mq:us-east-1:000000000000:broker:b:1';
const shared = {
  SelfManagedEventSource: own,
  SelfManagedKafkaEventSourceConfig: { ConsumptionMode: 'Queue' },
};
const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1';

test.each<[reason: string, input: object, text: string]>([
  ['no source', {}, 'Unrecognized event source.'],
  ['a bucket', { EventSourceArn: 'arn:aws:s3:::b' }, 'Unrecognized event source.'],
  ['two sources', { EventSourceArn: queue, SelfManagedEventSource: own }, 'Unsupported SelfManagedEventSource'],
  ['a queue with a position', { EventSourceArn: queue, ...position }, 'Unsupported StartingPosition parameter'],
  ['a stream without one', { EventSourceArn: stream }, "Value null at 'startingPosition'"],
  ['a table from a time on', { EventSourceArn: table, StartingPosition: 'AT_TIMESTAMP' }, 'Unsupported starting'],
  ['a time that is missing', { EventSourceArn: stream, StartingPosition: 'AT_TIMESTAMP' }, 'Timestamp is required'],
  ['a large batch at once', { EventSourceArn: queue, BatchSize: 11 }, 'Maximum batch window in seconds must be'],
  ['a large batch in order', { EventSourceArn: `${queue}.fifo`, BatchSize: 11 }, 'FIFO queue'],
  [
    'successes to somewhere',
    { EventSourceArn: stream, ...position, DestinationConfig: { OnSuccess: { Destination: queue } } },
    'Unsupported DestinationConfig parameter for given event source mapping type.',
  ],
  ['an age of seconds', { EventSourceArn: stream, ...position, MaximumRecordAgeInSeconds: 5 }, '60 to 604800'],
  ['a cluster without a topic', { SelfManagedEventSource: own, ...position }, "Required 'topics'"],
  ['a broker without a queue', { EventSourceArn: 'arn:aws:mq:us-east-1:000000000000:broker:b:1' }, "'queues'"],
  [
    'two ways to scale',
    {
      EventSourceArn: queue,
      ScalingConfig: { MaximumConcurrency: 2 },
      ProvisionedPollerConfig: { MinimumPollers: 2 },
    },
    'exclude each other',
  ],
  [
    'one poller of a queue',
    { EventSourceArn: queue, ProvisionedPollerConfig: { MinimumPollers: 1 } },
    'must be 2 to 10000',
  ],
  [
    'many pollers of Kafka',
    { SelfManagedEventSource: own, Topics: ['t'], ...position, ProvisionedPollerConfig: { MaximumPollers: 2_001 } },
    'must be 1 to 2000',
  ],
  [
    'a group of pollers of a queue',
    { EventSourceArn: queue, ProvisionedPollerConfig: { PollerGroupName: 'g' } },
    'for Kafka event sources only',
  ],
  [
    'a way in that the source does not have',
    { EventSourceArn: broker, Queues: ['q'], SourceAccessConfigurations: [{ Type: 'IAM_AUTH', URI: 'x' }] },
    'Unsupported SourceAccessType IAM_AUTH for given event source mapping type. It takes BASIC_AUTH, VIRTUAL_HOST.',
  ],
  [
    'failures to a function',
    { EventSourceArn: stream, ...position, DestinationConfig: { OnFailure: { Destination: testArn('g') } } },
    `onFailure=OnFailure(destination=${testArn('g')})) is invalid`,
  ],
  [
    'failures to a queue in order',
    { EventSourceArn: stream, ...position, DestinationConfig: { OnFailure: { Destination: `${queue}.fifo` } } },
    'is invalid',
  ],
  [
    'failures of a stream to Kafka',
    { EventSourceArn: stream, ...position, DestinationConfig: { OnFailure: { Destination: 'kafka://dead' } } },
    'is invalid',
  ],
  ['metrics of Kafka', { EventSourceArn: queue, MetricsConfig: { Metrics: ['KafkaMetrics'] } }, 'metric KafkaMetrics'],
  [
    'a start in the future',
    { EventSourceArn: stream, StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date('2030-01-01') },
    'must not be in the future',
  ],
  [
    'a window of a share group',
    { ...shared, Topics: ['t'], ...position, MaximumBatchingWindowInSeconds: 1 },
    'not for the consumption mode Queue',
  ],
  [
    'endless tries of a share group',
    { ...shared, Topics: ['t'], ...position, MaximumRetryAttempts: -1 },
    'must be 0 to 10000',
  ],
  ['tags of AWS', { EventSourceArn: queue, Tags: { 'aws:x': 'y' } }, 'aws: prefixed'],
])('refused: %s', async (_reason, input, text) => {
  await expect(create(input)).rejects.toThrow(text);
  expect(await stored()).toEqual([]);
});

test.each(['', 'no', '[]', '{}', '{"a":1}', '{"a":[]}', '{"a":[{"sometimes":1}]}', '{"a":[["b"]]}'])(
  'refused: the filter %s',
  async (Pattern) => {
    const FilterCriteria = { Filters: [{ Pattern }] };
    await expect(create({ EventSourceArn: queue, FilterCriteria })).rejects.toThrow('Invalid filter pattern');
  },
);

test('what is wrong with a filter is told, and with which', async () => {
  const FilterCriteria = { Filters: [{ Pattern: '{"a":[1]}' }, { Pattern: '{"a":{"b":[{"wildcard":"x*"}]}}' }] };
  await expect(create({ EventSourceArn: queue, FilterCriteria })).rejects.toThrow(
    'Invalid filter pattern definition. Filter 2: a.b has an operator that is not known: wildcard.',
  );
});

test.each([
  [stream, 'data'],
  [table, 'dynamodb'],
])('refused: a filter for a text in records of %s', async (EventSourceArn, member) => {
  const filterBy = (Pattern: string) => ({ EventSourceArn, ...position, FilterCriteria: { Filters: [{ Pattern }] } });
  const isText = `{"$or":[{"a":[1]},{"${member}":["x"]}]}`;
  await expect(create(filterBy(isText))).rejects.toThrow(`Filter 1: ${member} must be an object`);
  await create(filterBy(`{"${member}":{"a":["x"]}}`));
});

test.each([
  '{"a":["b",1,null,true]}',
  '{"a":{"b":[{"numeric":[">",5]}]}}',
  '{"$or":[{"a":[1]},{"b":[{"exists":false}]}]}',
])('not refused: the filter %s', async (Pattern) => {
  await create({ EventSourceArn: queue, FilterCriteria: { Filters: [{ Pattern }] } });
});

test('refused: a function, version or alias that is not there', async () => {
  for (const [name, qualifier] of [
    ['h', null],
    ['f', '9'],
    ['f', 'gone'],
  ] as const)
    await expect(create({ EventSourceArn: queue }, name, qualifier)).rejects.toThrow('Function does not exist');
});
