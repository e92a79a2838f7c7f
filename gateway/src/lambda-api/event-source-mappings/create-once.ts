import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { EventSourceMappingObject, EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';
import { lastModifiedAnnotation } from '@kappa/crds/labels';

import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { functionArnOf } from './configuration.ts';
import { type Identified, identityOf, mappingObjectName, mappingsOf } from './find.ts';

/** What is to be there. */
export interface Wanted {
  readonly namespace: string;
  readonly spec: EventSourceMappingSpec;
}

/**
 * Makes a mapping unless there is one of the same identity. Its name is made from that, so that of two gateways one fails; a mapping that
 * has been given to another function since leaves its name taken, then a second one is used.
 *
 * @throws LambdaError ResourceConflict, with the UUID of the one that is there
 */
export async function createOnce(
  { namespace, spec }: Wanted,
  call: OperationCall<unknown>,
  deps: ApiDeps,
): Promise<EventSourceMappingObject> {
  const identity = identityOf(spec);
  const annotations = { [lastModifiedAnnotation]: new Date(deps.now()).toISOString() };
  for (const key of [identity, `${identity} ${call.requestId}`]) {
    await requireNoTwin({ metadata: { namespace, uid: '' }, spec }, call, deps);
    const metadata = { namespace, name: mappingObjectName(spec.functionName, key), annotations };
    const made = await deps.objects.create(eventSourceMappings, { metadata, spec });
    if (made !== null) return made;
  }
  await requireNoTwin({ metadata: { namespace, uid: '' }, spec }, call, deps);
  throw lambdaException(
    'ResourceConflictException',
    'Event source mappings are being changed by others at the same time: try again',
  );
}

/** @throws LambdaError ResourceConflict when another mapping has the same identity */
export async function requireNoTwin(
  {
    metadata,
    spec,
  }: { readonly metadata: { readonly namespace: string; readonly uid: string }; readonly spec: Identified },
  call: OperationCall<unknown>,
  deps: ApiDeps,
): Promise<void> {
  const identity = identityOf(spec);
  const others = (await mappingsOf(metadata.namespace, deps)).filter((other) => other.metadata.uid !== metadata.uid);
  const twin = others.find((other) => identityOf(other.spec) === identity);
  if (twin !== undefined) throw alreadyExists(twin, call, deps);
}

/** In Lambda's words for the kind of source. */
function alreadyExists(
  twin: EventSourceMappingObject,
  { accountId, fn }: OperationCall<unknown>,
  deps: ApiDeps,
): Error {
  const { eventSourceArn: arn = '', selfManaged, topics } = twin.spec;
  const sources = selfManaged?.bootstrapServers.join(',') ?? arn;
  const what =
    topics !== undefined
      ? `An event source mapping with event source ("${sources}"), function ("${functionArnOf(twin, accountId, deps)}"), topics ("${topics.join(',')}") already exists.`
      : arn.split(':')[2] === 'sqs'
        ? `An event source mapping with SQS arn (" ${arn} ") and function (" ${fn.name} ") already exists.`
        : `The event source arn (" ${arn} ") and function (" ${fn.name} ") provided mapping already exists.`;
  return lambdaException(
    'ResourceConflictException',
    `${what} Please update or delete the existing mapping with UUID ${twin.metadata.uid}`,
  );
}
