/** What is done at the end, in the order in which it is done. */
export interface Ending {
  /** Asks to be taken out of the Service; connections are closed with their next answer. */
  readonly failReadiness: () => void;
  /** The other gateways take over what is owned here; own callers' requests are forwarded to them. */
  readonly leaveRing: () => void;
  /** Takes no new connections and closes idle ones. */
  readonly closeServer: () => void;
  /** Resolves when no caller waits for an answer, and no event runs. */
  readonly whenAnswered: () => Promise<unknown>;
  /** Finishes what runs for other gateways and lets go of every pod; what still runs is given up when the signal aborts. */
  readonly drain: (signal: AbortSignal) => Promise<void>;
  readonly closeConnections: () => void;
  /** Ends the links to other gateways: answers went over them until now. */
  readonly stopRing: () => Promise<void>;
  /** Ends what answers health checks, what is told to the cluster, and the informers. */
  readonly stopWatching: () => void;
}

/** How long the end may take. */
export interface Grace {
  /** The gateway serves on for so long, until the cluster has heard that it is not ready. */
  readonly lagMs: number;
  /** And then waits so long for what is in flight. */
  readonly graceMs: number;
  /** @param keepsProcess the process lives at least as long */
  readonly sleep: (ms: number, keepsProcess: boolean) => Promise<void>;
}

/** SIGTERM to exit, in this order. `lagMs` + `graceMs` must stay below the pod's terminationGracePeriodSeconds. */
export async function shutDown(ending: Ending, { lagMs, graceMs, sleep }: Grace): Promise<void> {
  ending.failReadiness(); //                                     1. ask to be taken out of the Service
  ending.leaveRing(); //                                         2. others adopt what is owned here; own callers are forwarded
  await sleep(lagMs, true); //                                   3. serve on until endpoints have spread
  ending.closeServer(); //                                       4. take no new connections
  const grace = new AbortController();
  const graceOver = sleep(graceMs, false).then(() => grace.abort());
  await Promise.race([ending.whenAnswered(), graceOver]); //     5. finish what runs, within reason: of own callers,
  await ending.drain(grace.signal); //                           6. then of other gateways; let go of the pods
  ending.closeConnections();
  await ending.stopRing(); //                                    7. nobody's answer comes over these links any more
  ending.stopWatching(); //                                      8. only now let go of the world
}
