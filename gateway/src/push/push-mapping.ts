import type {
  EventSourceMappingCloudEvents,
  EventSourceMappingObject,
  EventSourceMappingS3,
  EventSourceMappingSchedule,
  EventSourceMappingSns,
  EventSourceMappingTokenSecretRef,
} from '@kappa/crds/event-source-mapping';

/** What events come from without being polled. */
export type PushSource =
  | { readonly kind: 'schedule'; readonly schedule: EventSourceMappingSchedule }
  | { readonly kind: 's3'; readonly s3: EventSourceMappingS3 }
  | { readonly kind: 'sns'; readonly sns: EventSourceMappingSns }
  | { readonly kind: 'cloudEvents'; readonly cloudEvents: EventSourceMappingCloudEvents };

/** What the gateway keeps of an EventSourceMapping that is not polled: a schedule, or what is sent to the door. */
export interface PushMapping {
  /** Never comes back, so what is kept under it can be removed when it is gone. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the spec. */
  readonly generation: number;
  /** Epoch milliseconds, whole seconds. */
  readonly createdMs: number;
  /** metadata.name of the Function. */
  readonly functionObjectName: string;
  /** Version or alias; null = `$LATEST`. */
  readonly qualifier: string | null;
  /** It is wanted, and not being deleted. */
  readonly isEnabled: boolean;
  readonly source: PushSource;
  /** JSON texts; empty = every event is given to the function. */
  readonly filters: readonly string[];
  /** Where the token of the door is; null = it has none. */
  readonly tokenSecretRef: EventSourceMappingTokenSecretRef | null;
}

/** The view of a mapping; null = it is polled, which is somebody else's work. */
export function viewPush({ metadata, spec }: EventSourceMappingObject): PushMapping | null {
  const source = sourceOf(spec);
  if (source === null) return null;
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    generation: metadata.generation,
    createdMs: metadata.creationTimestampMs ?? 0,
    functionObjectName: spec.functionName,
    qualifier: spec.qualifier ?? null,
    isEnabled: spec.enabled && metadata.deletionTimestampMs === null,
    source,
    filters: (spec.filters ?? []).flatMap(({ pattern }) => pattern ?? []),
    tokenSecretRef: spec.tokenSecretRef ?? null,
  };
}

function sourceOf({ schedule, s3, sns, cloudEvents }: EventSourceMappingObject['spec']): PushSource | null {
  if (schedule !== undefined) return { kind: 'schedule', schedule };
  if (s3 !== undefined) return { kind: 's3', s3 };
  if (sns !== undefined) return { kind: 'sns', sns };
  return cloudEvents === undefined ? null : { kind: 'cloudEvents', cloudEvents };
}
