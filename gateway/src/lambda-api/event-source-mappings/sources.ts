import type { Parameters } from './parameters.ts';

/** The kinds of event sources that Lambda's poller-based mappings know. */
export type SourceKind = 'sqs' | 'sqsFifo' | 'kinesis' | 'dynamodb' | 'msk' | 'kafka' | 'mq' | 'documentdb';

const all: readonly SourceKind[] = ['sqs', 'sqsFifo', 'kinesis', 'dynamodb', 'msk', 'kafka', 'mq', 'documentdb'];
const queues: readonly SourceKind[] = ['sqs', 'sqsFifo'];
const streams: readonly SourceKind[] = ['kinesis', 'dynamodb'];
const kafkas: readonly SourceKind[] = ['msk', 'kafka'];
const positioned: readonly SourceKind[] = [...streams, ...kafkas, 'documentdb'];

/** Which sources each parameter is for. @see reference of the Lambda API, CreateEventSourceMapping */
export const sourcesOf: Readonly<Record<keyof Parameters, readonly SourceKind[]>> = {
  EventSourceArn: all.filter((kind) => kind !== 'kafka'),
  SelfManagedEventSource: ['kafka'],
  BatchSize: all,
  MaximumBatchingWindowInSeconds: all.filter((kind) => kind !== 'sqsFifo'),
  StartingPosition: positioned,
  StartingPositionTimestamp: positioned,
  ParallelizationFactor: streams,
  BisectBatchOnFunctionError: [...streams, ...kafkas],
  MaximumRetryAttempts: [...streams, ...kafkas],
  MaximumRecordAgeInSeconds: [...streams, ...kafkas],
  TumblingWindowInSeconds: streams,
  FunctionResponseTypes: [...queues, ...streams, ...kafkas],
  DestinationConfig: [...streams, ...kafkas],
  ScalingConfig: queues,
  ProvisionedPollerConfig: [...queues, ...kafkas],
  FilterCriteria: all,
  KMSKeyArn: all,
  MetricsConfig: all,
  LoggingConfig: kafkas,
  SourceAccessConfigurations: [...kafkas, 'mq', 'documentdb'],
  Topics: kafkas,
  Queues: ['mq'],
  AmazonManagedKafkaEventSourceConfig: ['msk'],
  SelfManagedKafkaEventSourceConfig: ['kafka'],
  DocumentDBEventSourceConfig: ['documentdb'],
};

const kindsByService: ReadonlyMap<string, SourceKind> = new Map([
  ['sqs', 'sqs'],
  ['kinesis', 'kinesis'],
  ['dynamodb', 'dynamodb'],
  ['kafka', 'msk'],
  ['mq', 'mq'],
  ['rds', 'documentdb'],
]);

/** What kind of source a mapping reads; null = none that Lambda knows. */
export function sourceKindOf(source: Pick<Parameters, 'EventSourceArn' | 'SelfManagedEventSource'>): SourceKind | null {
  const { EventSourceArn: arn } = source;
  if (arn === undefined) return source.SelfManagedEventSource === undefined ? null : 'kafka';
  const kind = kindsByService.get(arn.split(':')[2] ?? '') ?? null;
  if (kind === 'sqs') return arn.endsWith('.fifo') ? 'sqsFifo' : 'sqs';
  return kind === 'dynamodb' && !arn.includes('/stream/') ? null : kind;
}

/** Whether the source is read from a position on. */
export function hasPosition(kind: SourceKind): boolean {
  return positioned.includes(kind);
}

/** What a mapping has that says nothing: Lambda's defaults. */
export function defaultsOf(kind: SourceKind): Parameters {
  const isStream = streams.includes(kind);
  return {
    BatchSize: queues.includes(kind) ? 10 : 100,
    ...((isStream || kind === 'sqs') && { MaximumBatchingWindowInSeconds: 0 }),
    ...(sourcesOf.FunctionResponseTypes.includes(kind) && { FunctionResponseTypes: [] }),
    ...(isStream && {
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: false,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: -1,
      TumblingWindowInSeconds: 0,
      DestinationConfig: { OnFailure: {} },
    }),
  };
}
