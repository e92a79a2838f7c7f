/** What to watch, and what to keep of it. */
export interface WatchOptions<T, P> {
  /** Default: all namespaces. */
  readonly namespace?: string;
  /** For example `kappa.dev/pool`. */
  readonly labelSelector?: string;
  /** For example `metadata.name=kappa-gateway`. */
  readonly fieldSelector?: string;
  /** The part of an object that stays in memory; pure. Everything else is let go. */
  readonly project: (object: T) => P;
  /**
   * A key is new, has changed (then with the projection), or is gone (null). Level, not edge: states may be skipped and said
   * again. Called synchronously; only note the key. A throw goes to `onProblem` and ends nothing.
   */
  readonly onChange: (key: string, projected: P | null) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Keeps the view for the next life of the process, where `connect` was given a directory for that. */
  readonly snapshot?: WatchSnapshot;
}

/** How a view is kept. Its projections must be what JSON gives back: no Map, Set, Date, function. */
export interface WatchSnapshot {
  /** File name; one per watch of the process. */
  readonly name: string;
  /** Raise it when the form of the projection changes: an older file is then not used. */
  readonly shape: number;
}

/** Where views are kept, and when one is used. */
export interface SnapshotOptions {
  /** A tmpfs that outlives the process but not the pod; made when it is missing. Files are 0600. */
  readonly directory: string;
  /** A first list that has not succeeded after so long is not waited for, milliseconds. Default 700. */
  readonly seedAfterMs?: number;
  /** Nor one that has failed so often. Default 3: about 0.3 s when connections are refused. */
  readonly seedAfterFailures?: number;
}

/** Knobs that tests turn. */
export interface InformerTiming {
  /** A watch is made anew after so long, seconds: just before that the server sends a bookmark. */
  readonly watchSeconds: number;
  /** A watch without a byte is given up so long after its planned end, milliseconds. */
  readonly graceMs: number;
  /** Pause after a failure. */
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
  /** Objects per page of a list: bounds the memory that a list needs at once. */
  readonly pageSize: number;
}

/**
 * What production uses. 25 s stays below every idle time-out of load balancers in between; the cap of 10 s is what an informer is behind
 * at most after the API server has come back.
 */
export const informerTiming: InformerTiming = {
  watchSeconds: 25,
  graceMs: 10_000,
  backoff: { firstMs: 100, maxMs: 10_000 },
  pageSize: 250,
};

/** A live view of a collection. */
export interface Informer<P> {
  /** Key: `namespace/name`, or `name` for kinds without namespaces. */
  get(key: string): P | undefined;
  /** All projections, in no order. */
  list(): readonly P[];
  /** All pairs, in no order. */
  entries(): readonly (readonly [key: string, projected: P])[];
  /** Objects known now. */
  readonly size: number;
  /** Whether a list has succeeded, or a kept view was taken for it (`isStale`). Before that an empty answer means nothing: do not act. */
  readonly hasSynced: boolean;
  /** The view is what an earlier life of the process saw; no list has succeeded in this one yet. */
  readonly isStale: boolean;
  /** Resolves when `hasSynced`; rejects when the signal aborts first. */
  whenSynced(): Promise<void>;
  /** When the API server was heard last (list, event, bookmark, regular end of a watch); monotonic ms, 0 = never. Stale after about 60,000. */
  readonly lastEventMs: number;
  /** The latest try to hear the API server failed: it may be away. False again from the next list, event or bookmark on. */
  readonly isFailing: boolean;
  /** Failures so far of lists, watches and parsing, for a metric. */
  readonly failures: number;
}
