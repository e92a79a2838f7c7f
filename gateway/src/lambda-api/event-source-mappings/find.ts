import { createHash } from 'node:crypto';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { EventSourceMappingObject, EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import { ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';

/** All mappings of the caller's namespace that Lambda knows, by UUID: schedules and what is pushed are no event source mappings there. */
export async function mappingsOf(
  namespace: string,
  { objects }: Pick<ApiDeps, 'objects'>,
): Promise<readonly EventSourceMappingObject[]> {
  const found = await objects.list(eventSourceMappings, { namespace });
  return found
    .filter(({ metadata, spec }) => metadata.deletionTimestampMs === null && isPolled(spec))
    .toSorted((a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1));
}

function isPolled({ eventSourceArn, selfManaged }: EventSourceMappingSpec): boolean {
  return eventSourceArn !== undefined || selfManaged !== undefined;
}

/** The mapping of a call; its UUID is the object's uid. @throws ResourceNotFound */
export async function requireMapping(
  { input, namespace }: OperationCall<{ readonly UUID?: string | undefined }>,
  deps: ApiDeps,
): Promise<EventSourceMappingObject> {
  const uuid = input.UUID?.toLowerCase();
  const found = (await mappingsOf(namespace, deps)).find(({ metadata }) => metadata.uid === uuid);
  if (found === undefined) throw mappingNotFound();
  return found;
}

/** There is no such mapping, or not any more. */
export function mappingNotFound(): ResourceNotFound {
  return new ResourceNotFound('The resource you requested does not exist.');
}

/** What a mapping is told from others by. */
export interface Identified
  extends Pick<EventSourceMappingSpec, 'functionName' | 'eventSourceArn' | 'selfManaged' | 'topics' | 'queues'> {
  readonly qualifier?: string | undefined;
}

/** What there may be one mapping of: function, version or alias, source, topic or queue. */
export function identityOf(spec: Identified): string {
  const { functionName, qualifier, eventSourceArn, selfManaged, topics, queues } = spec;
  const servers = selfManaged?.bootstrapServers.toSorted();
  return JSON.stringify([functionName, qualifier ?? '', eventSourceArn ?? servers, topics ?? queues ?? []]);
}

/** metadata.name of the mapping that the Lambda API makes: the same for the same identity, so that two gateways cannot make two of it. */
export function mappingObjectName(functionObjectName: string, identity: string): string {
  return `${functionObjectName}.${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}
