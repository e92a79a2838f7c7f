import type { EventSourceMappingObject, EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import type { SourceTraits } from '../source.ts';

/** Traits of SQS. */
export const queueTraits: SourceTraits = Object.freeze({
  batchSize: 10,
  batchWindowMs: 0,
  dataKeys: ['body'],
  onMismatch: 'drop',
  userAction: 'USER_INITIATED',
});

/** A mapping of a queue to `default/hello`, made at 5 s. */
export function mappingObject(over: Partial<EventSourceMappingSpec> = {}): EventSourceMappingObject {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'EventSourceMapping',
    metadata: {
      name: 'hello.orders',
      namespace: 'default',
      uid: '0f0f0f0f-0000-4000-8000-000000000001',
      resourceVersion: '1',
      generation: 1,
      creationTimestampMs: 5_000,
      deletionTimestampMs: null,
      labels: {},
      annotations: {},
      ownerReferences: [],
      finalizers: [],
    },
    spec: {
      functionName: 'hello',
      enabled: true,
      eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
      ...over,
    },
  };
}
