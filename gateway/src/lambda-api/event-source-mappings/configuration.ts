import type { EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import type { EventSourceMappingObject } from '@kappa/crds/event-source-mapping';
import { lastModifiedAnnotation } from '@kappa/crds/labels';
import { toLambdaName } from '@kappa/crds/names';

import type { ApiDeps } from '../call.ts';
import { keyOf } from '../functions/find.ts';
import { type Parameters, parametersOf } from './parameters.ts';
import { defaultsOf, type SourceKind, sourceKindOf } from './sources.ts';

/** Why a mapping that is wanted is Disabled. */
const NOT_POLLED =
  'Nothing polls this event source: this version keeps event source mappings and does not serve them yet.';

/**
 * Lambda's view of a mapping. Its State is Disabled, whatever is wanted: no poller serves it.
 *
 * @param state what to say instead, of one that is being deleted
 */
export function configurationOf(
  mapping: EventSourceMappingObject,
  accountId: string,
  deps: ApiDeps,
  state: 'Disabled' | 'Deleting' = 'Disabled',
): EventSourceMappingConfiguration {
  const { metadata, spec } = mapping;
  const given = parametersOf(spec);
  const kind = sourceKindOf(given);
  const lastModified = metadata.annotations[lastModifiedAnnotation];
  return {
    ...(kind === null ? {} : { ...defaultsOf(kind), ...consumerGroupOf(given, kind, metadata.uid) }),
    ...given,
    UUID: metadata.uid,
    EventSourceMappingArn: `arn:aws:lambda:${deps.region}:${accountId}:event-source-mapping:${metadata.uid}`,
    FunctionArn: functionArnOf(mapping, accountId, deps),
    LastModified: new Date(lastModified ?? metadata.creationTimestampMs ?? 0),
    ...((kind === 'kinesis' || kind === 'dynamodb') && { LastProcessingResult: 'No records processed' }),
    State: state,
    StateTransitionReason: state === 'Disabled' && spec.enabled ? NOT_POLLED : reasonOf(kind),
  };
}

/** The ARN of the version, alias or function that gets the batches, as it is called now. */
export function functionArnOf(
  { metadata, spec }: Pick<EventSourceMappingObject, 'metadata' | 'spec'>,
  accountId: string,
  { directory, arnOf }: ApiDeps,
): string {
  const seen = directory.look(keyOf({ namespace: metadata.namespace, name: spec.functionName })).fn;
  const name = seen?.functionName ?? toLambdaName(spec.functionName) ?? spec.functionName;
  const arn = arnOf(accountId, name);
  return spec.qualifier === undefined ? arn : `${arn}:${spec.qualifier}`;
}

/** Lambda names a group after the mapping when nobody does. */
function consumerGroupOf(given: Parameters, kind: SourceKind, uuid: string): Parameters {
  if (kind === 'msk' && given.AmazonManagedKafkaEventSourceConfig === undefined)
    return { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid } };
  if (kind === 'kafka' && given.SelfManagedKafkaEventSourceConfig === undefined)
    return { SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid } };
  return {};
}

/** That it was the user, in Lambda's words for streams and for all else. */
function reasonOf(kind: SourceKind | null): string {
  return kind === 'kinesis' || kind === 'dynamodb' ? 'User action' : 'USER_INITIATED';
}
