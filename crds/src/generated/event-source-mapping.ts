// Generated from crds/manifests/eventsourcemappings.yaml by crds/src/generate.ts. Do not edit: run `make generate`.
import type { Condition } from '../conditions.ts';
import type { ObjectMeta } from '../object-meta.ts';

/**
 * An event source and the function that its records are given to, in batches. Gateways read the source while it is enabled.
 */
export interface EventSourceMappingObject {
  readonly apiVersion: 'kappa.dev/v1alpha1';
  readonly kind: 'EventSourceMapping';
  readonly metadata: ObjectMeta;
  readonly spec: EventSourceMappingSpec;
  readonly status?: EventSourceMappingStatus;
}
/**
 * What is wanted. What is left out has Lambda's default for that source.
 */
export interface EventSourceMappingSpec {
  /**
   * metadata.name of the Function that gets the batches.
   */
  readonly functionName: string;
  /**
   * Version or alias that gets the batches; $LATEST, a number, or an alias. Absent is $LATEST.
   */
  readonly qualifier?: string;
  /**
   * Whether it is to be polled.
   */
  readonly enabled: boolean;
  /**
   * ARN of a queue (SQS), a stream (Kinesis, DynamoDB), a cluster (MSK, DocumentDB) or a broker (MQ). At most 1,024 characters. Cannot be changed.
   */
  readonly eventSourceArn?: string;
  readonly selfManaged?: EventSourceMappingSelfManaged;
  /**
   * The Kafka topic. Cannot be changed.
   *
   * Items: Name of a topic.
   */
  readonly topics?: readonly string[];
  readonly redis?: EventSourceMappingRedis;
  /**
   * Where the RabbitMQ broker of eventSourceArn is: amqps://host:port, or amqp://host:port without TLS. 1 to 10. Left out, it is where AWS_ENDPOINT_URL_MQ says.
   *
   * Items: amqps://host:port.
   */
  readonly servers?: readonly string[];
  /**
   * The queue of an MQ broker. Cannot be changed.
   *
   * Items: Name of a queue.
   */
  readonly queues?: readonly string[];
  /**
   * Where in a stream the first read begins. Cannot be changed.
   */
  readonly startingPosition?: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP';
  /**
   * Since when, for AT_TIMESTAMP.
   */
  readonly startingPositionTimestamp?: string;
  /**
   * Records of one batch at most. Default 10 of a queue of SQS, 100 of others.
   */
  readonly batchSize?: number;
  /**
   * A batch that is not full is given to the function after so long, seconds.
   */
  readonly maximumBatchingWindowSeconds?: number;
  /**
   * Batches of one shard that are processed at once. Default 1.
   */
  readonly parallelizationFactor?: number;
  /**
   * Whether a batch that the function fails on is halved and tried again.
   */
  readonly bisectBatchOnFunctionError?: boolean;
  /**
   * Further tries of a batch; -1 (default) is without a limit.
   */
  readonly maximumRetryAttempts?: number;
  /**
   * Older records are given up, seconds, 60 to 604,800; -1 (default) is without a limit.
   */
  readonly maximumRecordAgeSeconds?: number;
  /**
   * Length of a window of records with a common state, seconds; 0 (default) is without windows.
   */
  readonly tumblingWindowSeconds?: number;
  /**
   * Whether the function may answer which records of a batch have failed.
   */
  readonly reportBatchItemFailures?: boolean;
  /**
   * Where records of batches that were given up go, an ARN or kafka://TOPIC.
   */
  readonly onFailure?: string;
  /**
   * Batches of a queue that are processed at once, at most.
   */
  readonly maximumConcurrency?: number;
  readonly provisionedPollers?: EventSourceMappingProvisionedPollers;
  /**
   * Records that match none of these are not given to the function. At most 10.
   */
  readonly filters?: readonly EventSourceMappingFilter[];
  /**
   * Key that Lambda would encrypt the filters with.
   */
  readonly kmsKeyArn?: string;
  /**
   * Groups of metrics that are wanted. At most 3.
   *
   * Items: A group.
   */
  readonly metrics?: readonly ('EventCount' | 'ErrorCount' | 'KafkaMetrics')[];
  /**
   * How much is logged about polling a Kafka cluster.
   */
  readonly systemLogLevel?: 'DEBUG' | 'INFO' | 'WARN';
  /**
   * How to get into the event source. At most 23.
   */
  readonly sourceAccessConfigurations?: readonly EventSourceMappingSourceAccessConfiguration[];
  readonly kafka?: EventSourceMappingKafka;
  readonly documentDb?: EventSourceMappingDocumentDb;
  readonly schedule?: EventSourceMappingSchedule;
  readonly s3?: EventSourceMappingS3;
  readonly sns?: EventSourceMappingSns;
  readonly cloudEvents?: EventSourceMappingCloudEvents;
  readonly tokenSecretRef?: EventSourceMappingTokenSecretRef;
  /**
   * Tags of Lambda's API, at most 50. They mean nothing to Kappa.
   */
  readonly tags?: Readonly<Record<string, string>>;
}
/**
 * A Kafka cluster of one's own. Cannot be changed.
 */
export interface EventSourceMappingSelfManaged {
  /**
   * Where it is, host:port each. 1 to 10.
   *
   * Items: host:port.
   */
  readonly bootstrapServers: readonly string[];
}
/**
 * A stream of Redis or Valkey, read by a consumer group. Cannot be changed.
 */
export interface EventSourceMappingRedis {
  /**
   * redis://host:port/database, or rediss:// for TLS. User and password come from sourceAccessConfigurations.
   */
  readonly server: string;
  /**
   * Its key.
   */
  readonly stream: string;
  /**
   * Default is one of its own, the UUID of the mapping. It is made when it is not there, and then reads the stream from its oldest entry on.
   */
  readonly consumerGroup?: string;
}
/**
 * Pollers that are always there.
 */
export interface EventSourceMappingProvisionedPollers {
  /**
   * That are always there.
   */
  readonly minimum?: number;
  /**
   * That may be there.
   */
  readonly maximum?: number;
  /**
   * Mappings of one group share their pollers.
   */
  readonly groupName?: string;
}
/**
 * One filter.
 */
export interface EventSourceMappingFilter {
  /**
   * Event pattern
   */
  readonly pattern?: string;
}
/**
 * One way in.
 */
export interface EventSourceMappingSourceAccessConfiguration {
  /**
   * What uri is.
   */
  readonly type:
    | 'BASIC_AUTH'
    | 'VPC_SUBNET'
    | 'VPC_SECURITY_GROUP'
    | 'SASL_SCRAM_512_AUTH'
    | 'SASL_SCRAM_256_AUTH'
    | 'VIRTUAL_HOST'
    | 'CLIENT_CERTIFICATE_TLS_AUTH'
    | 'SERVER_ROOT_CA_CERTIFICATE'
    | 'OAUTHBEARER_AUTH'
    | 'OAUTHBEARER_SCOPE'
    | 'OAUTHBEARER_AUDIENCE'
    | 'OAUTHBEARER_LOGICAL_CLUSTER'
    | 'OAUTHBEARER_IDENTITY_POOL'
    | 'IAM_AUTH'
    | 'IAM_OAUTHBEARER_AUTH';
  /**
   * A secret's ARN, a network or a virtual host.
   */
  readonly uri?: string;
}
/**
 * Of a Kafka cluster, managed or not.
 */
export interface EventSourceMappingKafka {
  /**
   * Consumer group. Default is one of its own.
   */
  readonly consumerGroupId?: string;
  /**
   * Stream (default) reads partitions in order, Queue is for share groups.
   */
  readonly consumptionMode?: 'Stream' | 'Queue';
  readonly schemaRegistry?: EventSourceMappingKafkaSchemaRegistry;
}
/**
 * Where the schemas of records are.
 */
export interface EventSourceMappingKafkaSchemaRegistry {
  /**
   * Address or ARN of the registry.
   */
  readonly uri?: string;
  /**
   * In which form records are given to the function.
   */
  readonly eventRecordFormat?: 'JSON' | 'SOURCE';
  /**
   * How to get into the registry. At most 10.
   */
  readonly accessConfigurations?: readonly EventSourceMappingKafkaSchemaRegistryAccessConfiguration[];
  /**
   * What of a record must be as its schema says. At most 2.
   *
   * Items: A part of the record.
   */
  readonly validate?: readonly ('KEY' | 'VALUE')[];
}
/**
 * One way in.
 */
export interface EventSourceMappingKafkaSchemaRegistryAccessConfiguration {
  /**
   * What uri is.
   */
  readonly type?: 'BASIC_AUTH' | 'CLIENT_CERTIFICATE_TLS_AUTH' | 'SERVER_ROOT_CA_CERTIFICATE' | 'OAUTHBEARER_AUTH';
  /**
   * A secret's ARN.
   */
  readonly uri?: string;
}
/**
 * Of a DocumentDB cluster.
 */
export interface EventSourceMappingDocumentDb {
  /**
   * Database.
   */
  readonly databaseName: string;
  /**
   * Collection. Default is all.
   */
  readonly collectionName?: string;
  /**
   * Whether a change comes with the whole document.
   */
  readonly fullDocument?: 'UpdateLookup' | 'Default';
}
/**
 * Calls the function at certain times, by EventBridge's expressions. One firing for all gateways.
 */
export interface EventSourceMappingSchedule {
  /**
   * rate(VALUE UNIT), counted from start or from the mapping's creation; cron(MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR); or at(YYYY-MM-DDTHH:MM:SS), once.
   */
  readonly expression: string;
  /**
   * IANA name that the hours of cron and at are in.
   */
  readonly timezone: string;
  /**
   * Nothing is due before.
   */
  readonly start?: string;
  /**
   * Nothing is due after.
   */
  readonly end?: string;
  /**
   * Event of the function, JSON text, at most 256 KiB. Default is EventBridge's Scheduled Event.
   */
  readonly input?: string;
  /**
   * What becomes of firings that nobody was there for, a minute or more late. Skip leaves them out, One makes up for the newest, All for the newest 100.
   */
  readonly missed: 'Skip' | 'One' | 'All';
}
/**
 * Notifications of a bucket, sent to POST /events/NAMESPACE/NAME. A server's own shape becomes AWS's.
 */
export interface EventSourceMappingS3 {
  /**
   * Names of the buckets. Default is any. At most 20.
   *
   * Items: Name of a bucket.
   */
  readonly buckets?: readonly string[];
  /**
   * Which notifications are taken, like s3:ObjectCreated:* or s3:ObjectRemoved:Delete. Default is all. At most 20.
   *
   * Items: One kind of notification.
   */
  readonly events?: readonly string[];
  /**
   * With what keys begin, not encoded.
   */
  readonly prefix?: string;
  /**
   * With what keys end, not encoded.
   */
  readonly suffix?: string;
}
/**
 * Messages of a topic with an HTTP subscription to POST /events/NAMESPACE/NAME, which is confirmed by itself.
 */
export interface EventSourceMappingSns {
  /**
   * ARN of the topic. Messages of others are refused.
   */
  readonly topicArn: string;
  /**
   * Signature (default) takes what the topic's service has signed; Token what comes with the token, for servers that do not sign.
   */
  readonly verify: 'Signature' | 'Token';
}
/**
 * CloudEvents over HTTP, sent to POST /events/NAMESPACE/NAME in structured, batched or binary mode.
 */
export interface EventSourceMappingCloudEvents {
  /**
   * Which types are taken; others are answered and dropped. Default is all. At most 50.
   *
   * Items: The attribute type of an event.
   */
  readonly types?: readonly string[];
}
/**
 * Key of a Secret in the mapping's namespace that whoever sends events has to know, as a bearer token, a password (Basic), or ?token= where a server can send no header.
 */
export interface EventSourceMappingTokenSecretRef {
  /**
   * Name of the Secret.
   */
  readonly name: string;
  /**
   * Key in the Secret's data.
   */
  readonly key: string;
}
/**
 * What was found. Written by the gateway that polls it only.
 */
export interface EventSourceMappingStatus {
  /**
   * metadata.generation that this status is about.
   */
  readonly observedGeneration?: number;
  /**
   * State of Lambda's API. It stays Enabled while the source cannot be read; the condition Ready says why it cannot.
   */
  readonly state?: 'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting';
  /**
   * Who or what changed the state last; what stands in the way while something does.
   */
  readonly stateTransitionReason?: string;
  /**
   * No records processed, OK, or PROBLEM and which, of the latest batch.
   */
  readonly lastProcessingResult?: string;
  /**
   * Parts of the source that are to be read; a queue is one.
   */
  readonly shards?: number;
  /**
   * Those of them that gateways read now.
   */
  readonly heldShards?: number;
  /**
   * Observations by type. Ready = the source is read; Succeeding = the latest batch went well.
   */
  readonly conditions?: readonly Condition[];
}
