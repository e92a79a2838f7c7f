/** What ends, in the order in which it ends. */
export interface Ending {
  /** Asks to be taken out of the Service; connections are closed with their next answer. */
  readonly failReadiness: () => void;
  /** Takes no new connections and closes idle ones. */
  readonly closeServer: () => void;
  /** Resolves when no request is in flight. */
  readonly whenIdle: () => Promise<void>;
  /** Lets go of every pod; what still runs is given up when the signal aborts. */
  readonly drain: (signal: AbortSignal) => Promise<void>;
  readonly closeConnections: () => void;
  /** Ends informers, the links to other gateways and what is told to the cluster. */
  readonly stopWatching: () => Promise<void>;
}

/** How long each step of the end may take, milliseconds. */
export interface Grace {
  readonly lagMs: number;
  readonly graceMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** SIGTERM to exit, in this order. `lagMs` + `graceMs` must stay below the pod's terminationGracePeriodSeconds. */
export async function shutDown(ending: Ending, { lagMs, graceMs, sleep }: Grace): Promise<void> {
  ending.failReadiness(); //                                   1. ask to be taken out of the Service
  await sleep(lagMs); //                                       2. keep serving until endpoints have spread
  ending.closeServer(); //                                     3. take no new connections
  const grace = new AbortController();
  const graceOver = sleep(graceMs).then(() => grace.abort());
  await Promise.race([ending.whenIdle(), graceOver]); //       4. finish what runs, within reason: of own callers,
  await ending.drain(grace.signal); //                         5. then of other gateways; let go of the pods
  ending.closeConnections();
  await ending.stopWatching(); //                              6. only now let go of the world
}
