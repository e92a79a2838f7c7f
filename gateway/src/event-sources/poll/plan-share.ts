/** What runs in this gateway, of all that share its concurrency. */
export interface Load {
  /** The account's concurrency. */
  readonly concurrency: number;
  /** Asynchronous invocations that run. */
  readonly asyncRunning: number;
  /** Batches of pollers that run. */
  readonly batchesRunning: number;
  /** Bytes of records that pollers hold. */
  readonly heldBytes: number;
}

/** Of the concurrency, what asynchronous invocations and pollers together leave to synchronous calls is the rest. */
export const EVENTS_SHARE = 0.8;
/** Of the concurrency, what pollers use at most: asynchronous invocations find some, too. */
export const POLLERS_SHARE = 0.6;
/** Records that all pollers of a gateway hold: read, and not settled. */
export const MAX_HELD_BYTES = 128 * 1024 * 1024;

/**
 * Batches that pollers may begin now. Pure. Who is shed first: pollers, whose records wait safely at their source; then asynchronous
 * invocations, which wait in the queue; synchronous callers last, because they wait themselves. What synchronous calls run is not looked at
 * here: the dispatcher refuses events and batches above its own part of each account's concurrency, and a batch that was refused waits.
 *
 * Worked: concurrency 1,000, 300 asynchronous ones and 400 batches run: min(600 − 400, 800 − 700) = 100.
 */
export function batchRoom(load: Load): number {
  if (load.heldBytes >= MAX_HELD_BYTES) return 0;
  const { concurrency, asyncRunning, batchesRunning } = load;
  const own = Math.floor(concurrency * POLLERS_SHARE) - batchesRunning;
  const shared = Math.floor(concurrency * EVENTS_SHARE) - asyncRunning - batchesRunning;
  return Math.max(0, Math.min(own, shared));
}

/**
 * Of that, what one mapping may have: pollers share evenly, and what one does not use the others may. Pure.
 *
 * @param wanted by each mapping, batches; in the order in which they asked
 * @returns the same order; together at most `room`. Worked: room 10, wanted 1, 9, 9: 1, 5, 4
 */
export function shareOut(room: number, wanted: readonly number[]): readonly number[] {
  const given = wanted.map(() => 0);
  let left = room;
  while (left > 0) {
    const hungry = wanted.flatMap((each, at) => (each > (given[at] ?? 0) ? [at] : []));
    if (hungry.length === 0) break;
    const portion = Math.max(1, Math.floor(left / hungry.length));
    for (const at of hungry.slice(0, left)) {
      const more = Math.min(portion, (wanted[at] ?? 0) - (given[at] ?? 0), left);
      given[at] = (given[at] ?? 0) + more;
      left -= more;
    }
  }
  return given;
}
