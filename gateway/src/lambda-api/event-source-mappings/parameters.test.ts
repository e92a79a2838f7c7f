import { readFileSync } from 'node:fs';
import type { KafkaSchemaRegistryConfig } from '@aws-sdk/client-lambda';
import { describe, expect, test } from '@jest/globals';
import { parseEventSourceMapping } from '@kappa/crds/event-source-mapping';
import { parse } from 'yaml';

import { operationNamed } from '../model/model.ts';
import type { Shape, StructureShape } from '../model/shapes.ts';
import { type Parameters, parametersOf, specOf } from './parameters.ts';
import { defaultsOf, sourceKindOf, sourcesOf } from './sources.ts';

const arnOf = (rest: string) => `arn:aws:${rest}`;
const registry: KafkaSchemaRegistryConfig = {
  SchemaRegistryURI: 'https://registry',
  EventRecordFormat: 'JSON',
  AccessConfigs: [{ Type: 'BASIC_AUTH', URI: arnOf('secretsmanager:us-east-1:000000000000:secret:s') }],
  SchemaValidationConfigs: [{ Attribute: 'KEY' }, { Attribute: 'VALUE' }],
};

/** Every parameter of every kind of source. */
const examples: readonly Parameters[] = [
  {
    EventSourceArn: arnOf('sqs:us-east-1:000000000000:q'),
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 5,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 10 },
    FilterCriteria: { Filters: [{ Pattern: '{"body":[1]}' }, {}] },
    KMSKeyArn: arnOf('kms:us-east-1:000000000000:key/k'),
    MetricsConfig: { Metrics: ['EventCount'] },
  },
  {
    EventSourceArn: arnOf('kinesis:us-east-1:000000000000:stream/s'),
    StartingPosition: 'AT_TIMESTAMP',
    StartingPositionTimestamp: new Date(1_700_000_000_000),
    ParallelizationFactor: 10,
    BisectBatchOnFunctionError: false,
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: 60,
    TumblingWindowInSeconds: 0,
    DestinationConfig: { OnFailure: { Destination: arnOf('sqs:us-east-1:000000000000:dead') } },
  },
  {
    EventSourceArn: arnOf('kafka:us-east-1:000000000000:cluster/c/1'),
    Topics: ['t'],
    StartingPosition: 'LATEST',
    ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 5, PollerGroupName: 'g' },
    AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group', SchemaRegistryConfig: registry },
    LoggingConfig: { SystemLogLevel: 'DEBUG' },
  },
  {
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['a:9092', 'b:9092'] } },
    Topics: ['t'],
    StartingPosition: 'TRIM_HORIZON',
    SourceAccessConfigurations: [{ Type: 'VPC_SUBNET', URI: 'subnet:subnet-1' }],
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group', ConsumptionMode: 'Queue' },
  },
  {
    EventSourceArn: arnOf('mq:us-east-1:000000000000:broker:b:1'),
    Queues: ['q'],
  },
  {
    EventSourceArn: arnOf('rds:us-east-1:000000000000:cluster:c'),
    StartingPosition: 'LATEST',
    DocumentDBEventSourceConfig: { DatabaseName: 'd', CollectionName: 'c', FullDocument: 'UpdateLookup' },
  },
];

test.each(examples)('what is kept of %o is what was given, and the object takes it', (example) => {
  const spec = specOf(example);
  expect(parametersOf(spec)).toEqual(example);
  const object = parseEventSourceMapping({ metadata: { name: 'x' }, spec: { functionName: 'f', ...spec } });
  expect(parametersOf(object.spec)).toEqual(example);
});

test('the examples miss no parameter of the service model, nor does the table of sources', () => {
  const { members } = operationNamed('CreateEventSourceMapping').input;
  const apart = ['FunctionName', 'Enabled', 'Tags'];
  const names = members.map(({ name }) => name).filter((name) => !apart.includes(name));
  expect(Object.keys(sourcesOf).sort()).toEqual(names.toSorted());
  expect([...new Set(examples.flatMap((example) => Object.keys(example)))].sort()).toEqual(names.toSorted());
});

test('what says nothing is not kept', () => {
  const nothing = { FilterCriteria: { Filters: [] }, ScalingConfig: {}, DestinationConfig: { OnFailure: {} } };
  expect(specOf({ ...nothing, KMSKeyArn: '', FunctionResponseTypes: [], SourceAccessConfigurations: [] })).toEqual({});
});

describe('the bounds of the object are those of the service model', () => {
  const manifest = parse(
    readFileSync(new URL(import.meta.resolve('@kappa/crds/manifests/eventsourcemappings.yaml')), 'utf8'),
  );
  const { properties } = manifest.spec.versions[0].schema.openAPIV3Schema.properties.spec;

  test.each<[member: string, field: { readonly minimum?: number; readonly maximum?: number }]>([
    ['BatchSize', properties.batchSize],
    ['MaximumBatchingWindowInSeconds', properties.maximumBatchingWindowSeconds],
    ['ParallelizationFactor', properties.parallelizationFactor],
    ['MaximumRetryAttempts', properties.maximumRetryAttempts],
    ['MaximumRecordAgeInSeconds', properties.maximumRecordAgeSeconds],
    ['TumblingWindowInSeconds', properties.tumblingWindowSeconds],
    ['ScalingConfig.MaximumConcurrency', properties.maximumConcurrency],
    ['ProvisionedPollerConfig.MinimumPollers', properties.provisionedPollers.properties.minimum],
    ['ProvisionedPollerConfig.MaximumPollers', properties.provisionedPollers.properties.maximum],
  ])('%s', (member, { minimum, maximum }) => {
    const { min, max } = shapeAt(operationNamed('CreateEventSourceMapping').input, member.split('.'));
    expect([minimum, maximum]).toEqual([min, max]);
  });

  test.each<[member: string, field: { readonly enum?: readonly string[]; readonly maxItems?: number }]>([
    ['StartingPosition', properties.startingPosition],
    ['SourceAccessConfigurations.[].Type', properties.sourceAccessConfigurations.items.properties.type],
    ['MetricsConfig.Metrics.[]', properties.metrics.items],
    ['LoggingConfig.SystemLogLevel', properties.systemLogLevel],
    ['SelfManagedKafkaEventSourceConfig.ConsumptionMode', properties.kafka.properties.consumptionMode],
    ['DocumentDBEventSourceConfig.FullDocument', properties.documentDb.properties.fullDocument],
  ])('values of %s', (member, field) => {
    const shape = shapeAt(operationNamed('CreateEventSourceMapping').input, member.split('.'));
    expect(shape.kind === 'string' ? [...(shape.values ?? [])].sort() : null).toEqual([...(field.enum ?? [])].sort());
  });

  function shapeAt(shape: Shape, [name, ...rest]: readonly string[]): Shape {
    if (name === undefined) return shape;
    if (shape.kind === 'list') return shapeAt(shape.member, rest);
    const member = (shape as StructureShape).members.find((one) => one.name === name);
    if (member === undefined) throw new Error(`no ${name}`);
    return shapeAt(member.shape, rest);
  }
});

test('kinds of sources by their ARNs', () => {
  const kinds = examples.map(sourceKindOf);
  expect(kinds).toEqual(['sqs', 'kinesis', 'msk', 'kafka', 'mq', 'documentdb']);
  const kindOf = (EventSourceArn: string) => sourceKindOf({ EventSourceArn });
  expect(kindOf(arnOf('sqs:us-east-1:000000000000:q.fifo'))).toBe('sqsFifo');
  expect(kindOf(arnOf('dynamodb:us-east-1:000000000000:table/t/stream/1'))).toBe('dynamodb');
  expect(kindOf(arnOf('dynamodb:us-east-1:000000000000:table/t'))).toBeNull();
  expect(kindOf(arnOf('s3:::b'))).toBeNull();
  expect(sourceKindOf({})).toBeNull();
});

test('every default is a parameter of its source', () => {
  for (const kind of ['sqs', 'sqsFifo', 'kinesis', 'dynamodb', 'msk', 'kafka', 'mq', 'documentdb'] as const)
    for (const [member, kinds] of Object.entries(sourcesOf))
      if (member in defaultsOf(kind)) expect([member, kinds]).toEqual([member, expect.arrayContaining([kind])]);
});
