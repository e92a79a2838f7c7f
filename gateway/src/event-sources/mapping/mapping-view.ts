import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import type { StartSettings } from '../checkpoints/plan-start.ts';

/** One EventSourceMapping as the gateway polls it: made from the object by the informer's projection, frozen, defaults filled in. */
export interface MappingView {
  /** metadata.uid: Lambda's UUID. Never comes back, so what is kept under it can be removed when it is gone. */
  readonly uid: string;
  readonly namespace: string;
  /** metadata.name of the mapping. */
  readonly name: string;
  /** Of the spec. */
  readonly generation: number;
  /** namespace/name of the Function. */
  readonly functionKey: string;
  /** Version or alias; null = `$LATEST`. */
  readonly qualifier: string | null;
  /** It is wanted, and not being deleted. */
  readonly isEnabled: boolean;
  readonly isDeleting: boolean;
  /** What the source's folder reads; nobody else looks into it. */
  readonly source: SourceSettings;
  /** Where shards of a stream are begun. */
  readonly start: StartSettings;
  readonly batch: BatchSettings;
  readonly stream: StreamSettings;
  /** Batches of a queue that run at once, 2..1,000; null = as many as there is room for. */
  readonly maximumConcurrency: number | null;
  /** The function answers which records have failed. */
  readonly reportsFailures: boolean;
  /** JSON texts; empty = every record is given to the function. */
  readonly filters: readonly string[];
  /** ARN or `kafka://TOPIC`; null = nobody is told of records that were given up. */
  readonly onFailure: string | null;
}

/** The part of the spec that says what is read and how to get in. */
export type SourceSettings = Pick<
  EventSourceMappingSpec,
  | 'eventSourceArn'
  | 'selfManaged'
  | 'servers'
  | 'redis'
  | 'topics'
  | 'queues'
  | 'startingPosition'
  | 'startingPositionTimestamp'
  | 'sourceAccessConfigurations'
  | 'kafka'
>;

/** When a batch is full. */
export interface BatchSettings {
  /** 1..10,000. */
  readonly maxRecords: number;
  /** A batch that is not full is given to the function so long after its first record was read, milliseconds, 0..300,000. */
  readonly windowMs: number;
}

/** How batches of a stream are tried. */
export interface StreamSettings {
  /** Further tries of a batch, 0..10,000; null = without a limit. */
  readonly maxRetries: number | null;
  /** Records that are older are given up, milliseconds, 60,000..604,800,000; null = none is too old. */
  readonly maxAgeMs: number | null;
  /** A batch that fails is halved. */
  readonly bisects: boolean;
  /** Length of a tumbling window, milliseconds, 0..900,000; 0 = there are none. */
  readonly windowMs: number;
  /** Batches of one shard at once, 1..10. 1 where there are windows: their state has one order. */
  readonly parallel: number;
}
