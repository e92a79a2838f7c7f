import type { EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import type { EventSourceMappingObject } from '@kappa/crds/event-source-mapping';
import { lastModifiedAnnotation } from '@kappa/crds/labels';
import { toLambdaName } from '@kappa/crds/names';

import type { MappingState } from '../../event-sources/mapping/plan-state.ts';
import type { ApiDeps } from '../call.ts';
import { keyOf } from '../functions/find.ts';
import { type Parameters, parametersOf } from './parameters.ts';
import { defaultsOf, type SourceKind, sourceKindOf } from './sources.ts';
import { stateOf } from './state.ts';

/** Lambda's view of a mapping. @param state of one that is being deleted; else it is found */
export function configurationOf(
  mapping: EventSourceMappingObject,
  accountId: string,
  deps: ApiDeps,
  state: MappingState = stateOf(mapping),
): EventSourceMappingConfiguration {
  const { metadata, spec, status } = mapping;
  const given = parametersOf(spec);
  const kind = sourceKindOf(given);
  const isFresh = state === status?.state && status.observedGeneration === metadata.generation;
  const lastModified = metadata.annotations[lastModifiedAnnotation];
  return {
    ...(kind === null ? {} : { ...defaultsOf(kind), ...consumerGroupOf(given, kind, metadata.uid) }),
    ...given,
    UUID: metadata.uid,
    EventSourceMappingArn: `arn:aws:lambda:${deps.region}:${accountId}:event-source-mapping:${metadata.uid}`,
    FunctionArn: functionArnOf(mapping, accountId, deps),
    LastModified: new Date(lastModified ?? metadata.creationTimestampMs ?? 0),
    ...resultOf(mapping, kind),
    State: state,
    StateTransitionReason: (isFresh ? status?.stateTransitionReason : undefined) ?? reasonOf(kind),
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

/** Of streams it is never missing. */
function resultOf(
  { status }: EventSourceMappingObject,
  kind: SourceKind | null,
): Pick<EventSourceMappingConfiguration, 'LastProcessingResult'> {
  const isStream = kind === 'kinesis' || kind === 'dynamodb';
  const result = status?.lastProcessingResult ?? (isStream ? 'No records processed' : undefined);
  return result === undefined ? {} : { LastProcessingResult: result };
}

/** That it was the user, in Lambda's words for streams and for all else. */
function reasonOf(kind: SourceKind | null): string {
  return kind === 'kinesis' || kind === 'dynamodb' ? 'User action' : 'USER_INITIATED';
}
