import type { SourceAccessType } from '@aws-sdk/client-lambda';

import { InvalidParameterValue } from '../../errors.ts';
import type { Parameters } from './parameters.ts';
import type { SourceKind } from './sources.ts';

/** Ways into a source that Lambda knows for each kind; the others need none. */
const waysIn: Readonly<Partial<Record<SourceKind, readonly SourceAccessType[]>>> = {
  msk: ['SASL_SCRAM_512_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH', 'IAM_AUTH'],
  kafka: [
    ...(['VPC_SUBNET', 'VPC_SECURITY_GROUP', 'BASIC_AUTH', 'SASL_SCRAM_512_AUTH', 'SASL_SCRAM_256_AUTH'] as const),
    ...(['CLIENT_CERTIFICATE_TLS_AUTH', 'SERVER_ROOT_CA_CERTIFICATE', 'OAUTHBEARER_AUTH'] as const),
    ...(['OAUTHBEARER_SCOPE', 'OAUTHBEARER_AUDIENCE', 'OAUTHBEARER_LOGICAL_CLUSTER'] as const),
    ...(['OAUTHBEARER_IDENTITY_POOL', 'IAM_OAUTHBEARER_AUTH'] as const),
  ],
  mq: ['BASIC_AUTH', 'VIRTUAL_HOST'],
  documentdb: ['BASIC_AUTH'],
};

/** @throws InvalidParameterValue for ways in that the source does not have */
export function checkAccess({ SourceAccessConfigurations: given = [] }: Parameters, kind: SourceKind): void {
  const foreign = given.find(({ Type }) => Type !== undefined && waysIn[kind]?.includes(Type) !== true);
  if (foreign !== undefined)
    throw new InvalidParameterValue(
      `Unsupported SourceAccessType ${foreign.Type} for given event source mapping type. It takes ${waysIn[kind]?.join(', ')}.`,
    );
}

/** @throws InvalidParameterValue for a destination of failed records that Lambda does not take. It is not looked for */
export function checkDestination({ DestinationConfig: config }: Parameters, kind: SourceKind): void {
  const place = config?.OnFailure?.Destination ?? '';
  if (place === '') return;
  const isKafka = kind === 'msk' || kind === 'kafka';
  const isTaken = place.startsWith('kafka://')
    ? isKafka && place.length > 'kafka://'.length
    : ['sqs', 'sns', 's3'].includes(place.split(':')[2] ?? '') && !place.endsWith('.fifo');
  if (!isTaken)
    throw new InvalidParameterValue(
      `The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=${place})) is invalid.`,
    );
}

/** @throws InvalidParameterValue for pollers that contradict each other, or that the source may not have */
export function checkPollers(given: Parameters, kind: SourceKind): void {
  const { ProvisionedPollerConfig: pollers, ScalingConfig: scaling } = given;
  if (pollers === undefined) return;
  const { MinimumPollers: least, MaximumPollers: most, PollerGroupName: group } = pollers;
  const isProvisioned = least !== undefined || most !== undefined;
  const isQueue = kind === 'sqs' || kind === 'sqsFifo';
  const [lowest, highest] = isQueue ? [2, 10_000] : [1, 2_000];
  const found = [least, most].filter((count) => count !== undefined);
  if (isProvisioned && scaling?.MaximumConcurrency !== undefined)
    throw new InvalidParameterValue('ScalingConfig and ProvisionedPollerConfig exclude each other.');
  if ((least ?? lowest) > (most ?? highest))
    throw new InvalidParameterValue('MinimumPollers must not be greater than MaximumPollers.');
  if (found.some((count) => count < lowest || count > highest))
    throw new InvalidParameterValue(
      `MinimumPollers and MaximumPollers of this event source must be ${lowest} to ${highest}.`,
    );
  if (isQueue && group !== undefined)
    throw new InvalidParameterValue('PollerGroupName is for Kafka event sources only.');
}

/** @throws InvalidParameterValue for groups of metrics that only Kafka has */
export function checkMetrics({ MetricsConfig: config }: Parameters, kind: SourceKind): void {
  const foreign = config?.Metrics?.find((name) => name !== 'EventCount');
  if (foreign !== undefined && kind !== 'msk' && kind !== 'kafka')
    throw new InvalidParameterValue(`Unsupported metric ${foreign} for given event source mapping type.`);
}

/** What does not go with Kafka's share groups. @throws InvalidParameterValue */
export function checkConsumption(given: Parameters): void {
  if (given.SelfManagedKafkaEventSourceConfig?.ConsumptionMode !== 'Queue') return;
  if (given.MaximumBatchingWindowInSeconds !== undefined)
    throw new InvalidParameterValue('MaximumBatchingWindowInSeconds is not for the consumption mode Queue.');
  if (given.MaximumRetryAttempts === -1)
    throw new InvalidParameterValue('MaximumRetryAttempts must be 0 to 10000 in the consumption mode Queue.');
}
