import type { CreateEventSourceMappingRequest, KafkaSchemaRegistryConfig } from '@aws-sdk/client-lambda';
import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

/** What a mapping is made of in Lambda's words; to whom it gives its batches, and whether it is wanted now, apart. */
export type Parameters = Omit<CreateEventSourceMappingRequest, 'FunctionName' | 'Enabled' | 'Tags'>;

/** The same in the words of the object. */
export type SourceSpec = Omit<EventSourceMappingSpec, 'functionName' | 'qualifier' | 'enabled' | 'tags'>;

/** What is kept of a request's parameters. What Lambda takes as "none" (an empty list, an empty object) is not kept. */
export function specOf(given: Parameters): SourceSpec {
  const onFailure = given.DestinationConfig?.OnFailure?.Destination;
  const servers = given.SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS;
  return compact<SourceSpec>({
    eventSourceArn: given.EventSourceArn,
    selfManaged: servers && { bootstrapServers: servers },
    topics: given.Topics,
    queues: given.Queues,
    startingPosition: given.StartingPosition,
    startingPositionTimestamp: given.StartingPositionTimestamp?.toISOString(),
    batchSize: given.BatchSize,
    maximumBatchingWindowSeconds: given.MaximumBatchingWindowInSeconds,
    parallelizationFactor: given.ParallelizationFactor,
    bisectBatchOnFunctionError: given.BisectBatchOnFunctionError,
    maximumRetryAttempts: given.MaximumRetryAttempts,
    maximumRecordAgeSeconds: given.MaximumRecordAgeInSeconds,
    tumblingWindowSeconds: given.TumblingWindowInSeconds,
    reportBatchItemFailures: given.FunctionResponseTypes?.includes('ReportBatchItemFailures') || undefined,
    onFailure: onFailure === '' ? undefined : onFailure,
    maximumConcurrency: given.ScalingConfig?.MaximumConcurrency,
    provisionedPollers: compact({
      minimum: given.ProvisionedPollerConfig?.MinimumPollers,
      maximum: given.ProvisionedPollerConfig?.MaximumPollers,
      groupName: given.ProvisionedPollerConfig?.PollerGroupName,
    }),
    filters: given.FilterCriteria?.Filters?.map(({ Pattern }) => compact({ pattern: Pattern })),
    kmsKeyArn: given.KMSKeyArn === '' ? undefined : given.KMSKeyArn,
    metrics: given.MetricsConfig?.Metrics,
    systemLogLevel: given.LoggingConfig?.SystemLogLevel,
    sourceAccessConfigurations: given.SourceAccessConfigurations?.flatMap(({ Type, URI }) =>
      Type === undefined ? [] : [compact({ type: Type, uri: URI })],
    ),
    kafka: kafkaOf(given),
    documentDb: documentDbOf(given),
  });
}

/** What is answered of what is kept. */
export function parametersOf(spec: SourceSpec): Parameters {
  const { selfManaged, startingPositionTimestamp: timestamp, provisionedPollers: pollers, documentDb } = spec;
  return compact<Parameters>({
    EventSourceArn: spec.eventSourceArn,
    SelfManagedEventSource: selfManaged && {
      Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [...selfManaged.bootstrapServers] },
    },
    Topics: spec.topics && [...spec.topics],
    Queues: spec.queues && [...spec.queues],
    StartingPosition: spec.startingPosition,
    StartingPositionTimestamp: timestamp === undefined ? undefined : new Date(timestamp),
    BatchSize: spec.batchSize,
    MaximumBatchingWindowInSeconds: spec.maximumBatchingWindowSeconds,
    ParallelizationFactor: spec.parallelizationFactor,
    BisectBatchOnFunctionError: spec.bisectBatchOnFunctionError,
    MaximumRetryAttempts: spec.maximumRetryAttempts,
    MaximumRecordAgeInSeconds: spec.maximumRecordAgeSeconds,
    TumblingWindowInSeconds: spec.tumblingWindowSeconds,
    FunctionResponseTypes: spec.reportBatchItemFailures === true ? ['ReportBatchItemFailures'] : undefined,
    DestinationConfig: spec.onFailure === undefined ? undefined : { OnFailure: { Destination: spec.onFailure } },
    ScalingConfig: spec.maximumConcurrency === undefined ? undefined : { MaximumConcurrency: spec.maximumConcurrency },
    ProvisionedPollerConfig:
      pollers &&
      compact({ MinimumPollers: pollers.minimum, MaximumPollers: pollers.maximum, PollerGroupName: pollers.groupName }),
    FilterCriteria: spec.filters && { Filters: spec.filters.map(({ pattern }) => compact({ Pattern: pattern })) },
    KMSKeyArn: spec.kmsKeyArn,
    MetricsConfig: spec.metrics && { Metrics: [...spec.metrics] },
    LoggingConfig: spec.systemLogLevel && { SystemLogLevel: spec.systemLogLevel },
    SourceAccessConfigurations: spec.sourceAccessConfigurations?.map(({ type, uri }) =>
      compact({ Type: type, URI: uri }),
    ),
    ...kafkaConfigOf(spec),
    DocumentDBEventSourceConfig:
      documentDb &&
      compact({
        DatabaseName: documentDb.databaseName,
        CollectionName: documentDb.collectionName,
        FullDocument: documentDb.fullDocument,
      }),
  });
}

type Kafka = NonNullable<SourceSpec['kafka']>;

/** A mapping has the one or the other, by its source. */
function kafkaOf(given: Parameters): Kafka | undefined {
  const own = given.SelfManagedKafkaEventSourceConfig;
  const config = own ?? given.AmazonManagedKafkaEventSourceConfig;
  const registry = config?.SchemaRegistryConfig;
  return compact({
    consumerGroupId: config?.ConsumerGroupId,
    consumptionMode: own?.ConsumptionMode,
    schemaRegistry: compact({
      uri: registry?.SchemaRegistryURI,
      eventRecordFormat: registry?.EventRecordFormat,
      accessConfigurations: registry?.AccessConfigs?.map(({ Type, URI }) => compact({ type: Type, uri: URI })),
      validate: registry?.SchemaValidationConfigs?.flatMap(({ Attribute }) => Attribute ?? []),
    }),
  });
}

function kafkaConfigOf({ kafka, selfManaged }: SourceSpec): Parameters {
  if (kafka === undefined) return {};
  const common = compact({
    ConsumerGroupId: kafka.consumerGroupId,
    SchemaRegistryConfig: kafka.schemaRegistry && registryConfigOf(kafka.schemaRegistry),
  });
  if (selfManaged === undefined) return { AmazonManagedKafkaEventSourceConfig: common };
  return { SelfManagedKafkaEventSourceConfig: compact({ ...common, ConsumptionMode: kafka.consumptionMode }) };
}

function registryConfigOf(registry: NonNullable<Kafka['schemaRegistry']>): KafkaSchemaRegistryConfig {
  return compact<KafkaSchemaRegistryConfig>({
    SchemaRegistryURI: registry.uri,
    EventRecordFormat: registry.eventRecordFormat,
    AccessConfigs: registry.accessConfigurations?.map(({ type, uri }) => compact({ Type: type, URI: uri })),
    SchemaValidationConfigs: registry.validate?.map((Attribute) => ({ Attribute })),
  });
}

function documentDbOf({ DocumentDBEventSourceConfig: config }: Parameters): SourceSpec['documentDb'] {
  const { DatabaseName, CollectionName, FullDocument } = config ?? {};
  if (DatabaseName === undefined) return undefined;
  return compact({ databaseName: DatabaseName, collectionName: CollectionName, fullDocument: FullDocument });
}

/** The object without members that are undefined, or lists and objects of nothing. */
function compact<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined && !isEmpty(value));
  return Object.fromEntries(kept) as T;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && Object.keys(value).length === 0;
}
