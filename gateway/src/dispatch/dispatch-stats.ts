/** Numbers of one moment. `allocated` slots = claiming + idle + busy + finishing + foreign. */
export interface DispatchStats {
  readonly pools: readonly PoolStats[];
  /** Requests that wait for a pod. */
  readonly queued: number;
  /** Requests that wait at a limit, not for a pod. */
  readonly queuedAtLimit: number;
  /** Bytes of the events of both. */
  readonly queuedBytes: number;
  /** Requests given to a pod and not answered yet. */
  readonly inFlight: number;
  readonly slots: {
    /** SPECIALIZE sent, not confirmed or still in init. */
    readonly claiming: number;
    readonly idle: number;
    readonly busy: number;
    /** Answered, REPORT not seen yet. */
    readonly finishing: number;
    /** Adopted pods that run another gateway's (or an earlier life's) invocation, or whose adoption is under way. */
    readonly foreign: number;
    /** Of functions with reserved concurrency: out of reach, may still run; they count against the cap. Not allocated. */
    readonly lost: number;
  };
  /** Since the start of the process. */
  readonly claimsTotal: number;
  readonly coldStartsTotal: number;
  /** Versions with a slot or a waiting request; the only ones that cost memory here. */
  readonly activeVersions: number;
  /** See `DispatchLoad`. */
  readonly running: ReadonlyMap<string, number>;
  /** Accounts with a function that was called since the start. */
  readonly accounts: readonly AccountStats[];
}

/** The common concurrency of an account's functions that have reserved none. */
export interface AccountStats {
  readonly accountId: string;
  /** Unanswered requests at this gateway. */
  readonly used: number;
  /** What is left, all gateways together, as this one knows it. */
  readonly left: number;
}

/** Pods of one pool as this gateway can use them. */
export interface PoolStats {
  readonly pool: string;
  /** Generic pods with an open, authenticated link. */
  readonly generic: number;
  /** Pods that run (or are being given) a function version. */
  readonly claimed: number;
  /** Claims that wait for a generic pod. */
  readonly missing: number;
  /** Linked pods that another live gateway holds. */
  readonly held: number;
  /** Linked pods that did not answer their last heartbeat. */
  readonly suspect: number;
}
