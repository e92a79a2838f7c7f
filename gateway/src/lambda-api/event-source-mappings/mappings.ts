import type {
  CreateEventSourceMappingRequest,
  DeleteEventSourceMappingRequest,
  EventSourceMappingConfiguration,
  GetEventSourceMappingRequest,
  ListEventSourceMappingsRequest,
  ListEventSourceMappingsResponse,
  UpdateEventSourceMappingRequest,
} from '@aws-sdk/client-lambda';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { EventSourceMappingObject, EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';
import { lastModifiedAnnotation } from '@kappa/crds/labels';

import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, CallOfFunction, OperationCall } from '../call.ts';
import { placeOf } from '../functions/find.ts';
import { requireMeant } from '../functions/resolve.ts';
import { pageOf } from '../paging.ts';
import { checkTags } from '../tags/tags.ts';
import { configurationOf } from './configuration.ts';
import { createOnce, requireNoTwin } from './create-once.ts';
import { mappingNotFound, mappingsOf, requireMapping } from './find.ts';
import { type Parameters, parametersOf, specOf } from './parameters.ts';
import { requireNotInUse } from './state.ts';
import { checkParameters } from './validate.ts';

/** CreateEventSourceMapping. */
export async function createMapping(
  call: OperationCall<CreateEventSourceMappingRequest>,
  deps: ApiDeps,
): Promise<EventSourceMappingConfiguration> {
  const { FunctionName: _named, Enabled: enabled = true, Tags: tags = {}, ...given } = call.input;
  checkParameters(given, deps.now());
  checkTags(tags);
  const target = await requireTarget(call, deps);
  const spec: EventSourceMappingSpec = {
    ...target.spec,
    enabled,
    ...specOf(given),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
  return configurationOf(await createOnce({ namespace: target.namespace, spec }, call, deps), call.accountId, deps);
}

/** GetEventSourceMapping. */
export async function getMapping(
  call: OperationCall<GetEventSourceMappingRequest>,
  deps: ApiDeps,
): Promise<EventSourceMappingConfiguration> {
  return configurationOf(await requireMapping(call, deps), call.accountId, deps);
}

/** UpdateEventSourceMapping; what the request does not mention stays. */
export async function updateMapping(
  call: OperationCall<UpdateEventSourceMappingRequest>,
  deps: ApiDeps,
): Promise<EventSourceMappingConfiguration> {
  const { UUID: _uuid, FunctionName: functionName, Enabled: enabled, ...given } = call.input;
  const found = await requireMapping(call, deps);
  const target = functionName === undefined ? null : await requireTarget(call, deps);
  if (target !== null && target.namespace !== found.metadata.namespace)
    throw new InvalidParameterValue('Function does not exist');
  if (target !== null)
    await requireNoTwin({ ...found, spec: { ...found.spec, qualifier: undefined, ...target.spec } }, call, deps);
  const changed = await deps.objects.change(eventSourceMappings, found.metadata, (mapping) => {
    if (mapping.metadata.uid !== found.metadata.uid) throw mappingNotFound();
    requireNotInUse(mapping, 'update');
    const { functionName: name, qualifier, tags } = mapping.spec;
    const kept = { functionName: name, ...(qualifier !== undefined && { qualifier }) };
    const spec: EventSourceMappingSpec = {
      ...(target?.spec ?? kept),
      enabled: enabled ?? mapping.spec.enabled,
      ...(tags !== undefined && { tags }),
      ...specOf(merged(mapping, given, deps)),
    };
    return withTime({ ...mapping, spec }, deps);
  });
  if (changed === null) throw mappingNotFound();
  return configurationOf(changed, call.accountId, deps);
}

/** DeleteEventSourceMapping: answers what it was. Batches that run then end by themselves. */
export async function deleteMapping(
  call: OperationCall<DeleteEventSourceMappingRequest>,
  deps: ApiDeps,
): Promise<EventSourceMappingConfiguration> {
  const mapping = await requireMapping(call, deps);
  requireNotInUse(mapping, 'delete');
  const { namespace, name, uid } = mapping.metadata;
  await deps.objects.remove(eventSourceMappings, namespace, name, uid);
  return configurationOf(mapping, call.accountId, deps, 'Deleting');
}

/** ListEventSourceMappings, by UUID: of a function (and version or alias), of a source, of both, or all. */
export async function listMappings(
  call: OperationCall<ListEventSourceMappingsRequest>,
  deps: ApiDeps,
): Promise<ListEventSourceMappingsResponse> {
  const { EventSourceArn: source, FunctionName: named } = call.input;
  const place = named === undefined ? null : await placeOf(call, deps);
  const found = (await mappingsOf(place?.namespace ?? call.namespace, deps))
    .filter(({ spec }) => source === undefined || spec.eventSourceArn === source)
    .filter(({ spec }) => place === null || isOf(spec, place.name, call.fn.qualifier));
  const { entries, ...next } = pageOf(
    found,
    call.input,
    ({ metadata }) => metadata.uid,
    (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  );
  return { EventSourceMappings: entries.map((mapping) => configurationOf(mapping, call.accountId, deps)), ...next };
}

function isOf({ functionName, qualifier }: EventSourceMappingSpec, name: string, wanted: string | null): boolean {
  return functionName === name && (qualifier ?? null) === wanted;
}

/** Whom the call names: the function's object, and the version or alias. @throws InvalidParameterValue when it is not there */
async function requireTarget(
  call: CallOfFunction,
  deps: ApiDeps,
): Promise<{ readonly namespace: string; readonly spec: Pick<EventSourceMappingSpec, 'functionName' | 'qualifier'> }> {
  const { fn } = await requireMeant(call, deps).catch((err: unknown) => {
    throw err instanceof ResourceNotFound ? new InvalidParameterValue('Function does not exist') : err;
  });
  const { qualifier } = call.fn;
  const { namespace, name } = fn.metadata;
  return { namespace, spec: { functionName: name, ...(qualifier !== null && { qualifier }) } };
}

/** The mapping's parameters with those of the request. @throws InvalidParameterValue for what does not go together then */
function merged({ spec }: EventSourceMappingObject, given: Parameters, { now }: Pick<ApiDeps, 'now'>): Parameters {
  const before = parametersOf(spec);
  const mentioned = Object.entries(given).filter(([, value]) => value !== undefined);
  const whole: Parameters = {
    ...before,
    ...Object.fromEntries(mentioned),
    ...kafkaConfigs((member) => mergedKafka(before[member], given[member])),
  };
  checkParameters(whole, now());
  return whole;
}

type KafkaMember = 'AmazonManagedKafkaEventSourceConfig' | 'SelfManagedKafkaEventSourceConfig';

function kafkaConfigs(of: (member: KafkaMember) => Parameters[KafkaMember]): Parameters {
  const amazon = of('AmazonManagedKafkaEventSourceConfig');
  const own = of('SelfManagedKafkaEventSourceConfig');
  return {
    ...(amazon !== undefined && { AmazonManagedKafkaEventSourceConfig: amazon }),
    ...(own !== undefined && { SelfManagedKafkaEventSourceConfig: own }),
  };
}

/** @throws InvalidParameterValue for another consumer group: that is fixed when the mapping is made */
function mergedKafka(before: Parameters[KafkaMember], given: Parameters[KafkaMember]): Parameters[KafkaMember] {
  if (given === undefined) return before;
  if (given.ConsumerGroupId !== undefined && given.ConsumerGroupId !== before?.ConsumerGroupId)
    throw new InvalidParameterValue('The ConsumerGroupId of an event source mapping cannot be changed.');
  return { ...before, ...given };
}

function withTime(mapping: EventSourceMappingObject, { now }: ApiDeps): EventSourceMappingObject {
  const annotations = { ...mapping.metadata.annotations, [lastModifiedAnnotation]: new Date(now()).toISOString() };
  return { ...mapping, metadata: { ...mapping.metadata, annotations } };
}
