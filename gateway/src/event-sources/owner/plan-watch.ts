/** What a poller does just now, and how long that may last. */
export type Activity =
  | { readonly kind: 'resting'; readonly forMs: number }
  | { readonly kind: 'opening' }
  | { readonly kind: 'receiving'; readonly waitMs: number }
  | { readonly kind: 'filling'; readonly windowMs: number }
  | { readonly kind: 'invoking'; readonly timeoutMs: number }
  | { readonly kind: 'settling' }
  | { readonly kind: 'saving' }
  | { readonly kind: 'telling' };

/** What is watched. Times are of the monotonic clock. */
export interface Watched {
  /** For metrics and logs. */
  readonly name: string;
  readonly activity: Activity;
  readonly sinceMs: number;
}

/** A call to a source, a store or a destination that says nothing for so long says nothing any more. */
const CALL_MS = 15_000;
/** Waiting for a pod, and the way there and back, beyond the function's own time-out. */
const CAPACITY_MS = 60_000;

/**
 * Pollers that have not moved on for longer than they may. Pure. Each has deadlines of its own that end it earlier: who is found here hangs in
 * something that has none, so it is thrown away, with its connection, and begun again from its checkpoint. It holds nothing that is not kept.
 */
export function findStuck(all: readonly Watched[], nowMs: number): readonly string[] {
  return all.filter((each) => isLate(each, nowMs)).map(({ name }) => name);
}

/**
 * Whether one of them hangs in a call to its source. Then nothing else that is read over the same connection is trusted; a function, a
 * destination or a store that says nothing is no reason for that.
 */
export function isSourceStuck(all: readonly Watched[], nowMs: number): boolean {
  return all.some((each) => callsSource(each.activity) && isLate(each, nowMs));
}

function isLate({ activity, sinceMs }: Watched, nowMs: number): boolean {
  return nowMs - sinceMs > allowedMs(activity);
}

function callsSource({ kind }: Activity): boolean {
  return kind === 'opening' || kind === 'receiving' || kind === 'settling';
}

/** Worked: a function with a time-out of 900 s may keep its poller for 975 s. */
export function allowedMs(activity: Activity): number {
  switch (activity.kind) {
    case 'resting':
      return activity.forMs + CALL_MS;
    case 'receiving':
      return activity.waitMs + CALL_MS;
    case 'filling':
      return activity.windowMs + CALL_MS;
    case 'invoking':
      return activity.timeoutMs + CAPACITY_MS + CALL_MS;
    case 'settling':
      return 3 * CALL_MS; // three tries of 10 s, and the pauses between them
    case 'opening':
    case 'saving':
    case 'telling':
      return 2 * CALL_MS;
  }
}
