import type { EventSourceMappingObject } from '@kappa/crds/event-source-mapping';

import type { SourceTraits } from '../source.ts';
import type { MappingView, SourceSettings, StreamSettings } from './mapping-view.ts';

/** Where a destination is set, Kafka's endless retries end after so many. @see AWS Lambda, "Using a Kafka topic as an on-failure destination" */
const KAFKA_RETRIES = 10;

/**
 * What is polled, from the object. Pure; the result is frozen.
 *
 * @param traits of the source that serves it; null = none does: it has the defaults of none, and is not polled
 */
export function viewMapping({ metadata, spec }: EventSourceMappingObject, traits: SourceTraits | null): MappingView {
  const isDeleting = metadata.deletionTimestampMs !== null;
  const { batchSize, maximumBatchingWindowSeconds: windowSeconds } = spec;
  return Object.freeze({
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    generation: metadata.generation,
    functionKey: `${metadata.namespace}/${spec.functionName}`,
    qualifier: spec.qualifier ?? null,
    isEnabled: spec.enabled && !isDeleting,
    isDeleting,
    source: pickSource(spec),
    start: {
      startingPosition: spec.startingPosition ?? 'LATEST',
      timestampMs: spec.startingPositionTimestamp === undefined ? null : Date.parse(spec.startingPositionTimestamp),
      createdMs: metadata.creationTimestampMs ?? 0,
    },
    batch: {
      maxRecords: batchSize ?? traits?.batchSize ?? 1,
      windowMs: windowSeconds === undefined ? (traits?.batchWindowMs ?? 0) : windowSeconds * 1_000,
    },
    stream: streamOf(spec),
    maximumConcurrency: spec.maximumConcurrency ?? null,
    reportsFailures: spec.reportBatchItemFailures ?? false,
    filters: (spec.filters ?? []).flatMap(({ pattern }) => (pattern === undefined ? [] : [pattern])),
    onFailure: spec.onFailure ?? null,
  });
}

/** Nothing else: a change of anything else needs no new connection. */
const ofSource: Readonly<Record<keyof SourceSettings, true>> = {
  eventSourceArn: true,
  selfManaged: true,
  servers: true,
  redis: true,
  topics: true,
  queues: true,
  startingPosition: true,
  startingPositionTimestamp: true,
  sourceAccessConfigurations: true,
  kafka: true,
};

function pickSource(spec: EventSourceMappingObject['spec']): SourceSettings {
  return Object.fromEntries(Object.entries(spec).filter(([key]) => key in ofSource));
}

function streamOf(spec: EventSourceMappingObject['spec']): StreamSettings {
  const { maximumRetryAttempts: retries = -1, maximumRecordAgeSeconds: ageSeconds = -1, onFailure } = spec;
  const windowMs = (spec.tumblingWindowSeconds ?? 0) * 1_000;
  const endless = spec.topics !== undefined && onFailure !== undefined ? KAFKA_RETRIES : null;
  return {
    maxRetries: retries === -1 ? endless : retries,
    maxAgeMs: ageSeconds === -1 ? null : ageSeconds * 1_000,
    bisects: spec.bisectBatchOnFunctionError ?? false,
    windowMs,
    parallel: windowMs > 0 ? 1 : (spec.parallelizationFactor ?? 1),
  };
}
