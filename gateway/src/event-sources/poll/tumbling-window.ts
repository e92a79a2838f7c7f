import type { SourceRecord } from '../record.ts';

/** An open window of a shard and what the function has made of it so far. Part of the checkpoint. */
export interface OpenWindow {
  /** Epoch milliseconds, a multiple of the length. */
  readonly startMs: number;
  /** What the function answered last, JSON text; `{}` at the beginning. */
  readonly state: string;
  /** It has to end with the next call: its state was larger than 1 MB. */
  readonly isOver: boolean;
}

/** The next call of the function for a shard with windows; null = nothing to do before more is read or the time comes. */
export interface WindowCall {
  readonly window: OpenWindow;
  /** Of the records that wait, the first so many. */
  readonly count: number;
  /** `isFinalInvokeForWindow`. */
  readonly isFinal: boolean;
  /** `isWindowTerminatedEarly`. */
  readonly isEarly: boolean;
}

export interface WindowSituation {
  /** null = none is open. */
  readonly open: OpenWindow | null;
  /** Read and not tried yet, in order, at most one batch of them. */
  readonly waiting: readonly Pick<SourceRecord, 'arrivedMs'>[];
  readonly lengthMs: number;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** Nothing more was there when the shard was read last. */
  readonly isCaughtUp: boolean;
  /** The shard is closed, and all of it was read. */
  readonly isEnd: boolean;
  /** The batch is full, or its window of batching is over. */
  readonly isBatchDue: boolean;
}

/** Largest state of a window, bytes. */
export const MAX_STATE_BYTES = 1024 * 1024;

/**
 * Which records go to the function next, and whether that ends their window. Pure.
 *
 *   waiting                                          | open window | call
 *   begins with records of the window                | any         | those, up to the first of a later window; final when there is such a one
 *   begins with one of a later window                | one         | none of them, final
 *   begins with one of an earlier window (it is late)| one         | as one of the open window: order goes before the clock
 *   nothing, the time is over and all was read       | one         | none, final
 *   nothing, the shard has ended                     | one         | none, final, early when its time is not over
 *   anything, the state was too large                | one         | none, final, early
 *
 * Worked: length 60 s, records at 61 s, 119 s, 121 s: a call with two records for 60–120 s, final; then one for 120–180 s.
 */
export function planWindow(seen: WindowSituation): WindowCall | null {
  const { waiting, lengthMs, nowMs } = seen;
  const [first] = waiting;
  const open = seen.open ?? (first === undefined ? null : windowOf(first.arrivedMs, lengthMs));
  if (open === null) return null;
  const endMs = open.startMs + lengthMs;
  if (open.isOver) return { window: open, count: 0, isFinal: true, isEarly: true };
  const later = waiting.findIndex(({ arrivedMs }) => arrivedMs >= endMs);
  if (later !== -1) return { window: open, count: later, isFinal: true, isEarly: false };
  if (waiting.length === 0) {
    if (seen.isEnd) return { window: open, count: 0, isFinal: true, isEarly: nowMs < endMs };
    return seen.isCaughtUp && nowMs >= endMs ? { window: open, count: 0, isFinal: true, isEarly: false } : null;
  }
  return seen.isBatchDue ? { window: open, count: waiting.length, isFinal: false, isEarly: false } : null;
}

/** The window after a call that went well; null = it is over. @param state what the function answered, JSON text */
export function afterCall({ window, isFinal }: WindowCall, state: string): OpenWindow | null {
  if (isFinal) return null;
  const isOver = Buffer.byteLength(state) > MAX_STATE_BYTES;
  return { ...window, state: isOver ? window.state : state, isOver };
}

/** The state in an answer, JSON text; null = there is none, and the batch counts as failed. */
export function readState(answer: Buffer): string | null {
  try {
    const value: unknown = JSON.parse(answer.toString('utf8'));
    if (typeof value !== 'object' || value === null || !('state' in value) || value.state === undefined) return null;
    return JSON.stringify(value.state);
  } catch {
    return null;
  }
}

/** What stands beside the records in the event. @param lengthMs a multiple of 1,000 */
export function windowMembers(
  { window, isFinal, isEarly }: WindowCall,
  { shardId, arn, lengthMs }: { readonly shardId: string; readonly arn: string; readonly lengthMs: number },
): Readonly<Record<string, unknown>> {
  const time = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
  return {
    window: { start: time(window.startMs), end: time(window.startMs + lengthMs) },
    state: JSON.parse(window.state),
    shardId,
    eventSourceARN: arn,
    isFinalInvokeForWindow: isFinal,
    isWindowTerminatedEarly: isEarly,
  };
}

function windowOf(arrivedMs: number, lengthMs: number): OpenWindow {
  return { startMs: Math.floor(arrivedMs / lengthMs) * lengthMs, state: '{}', isOver: false };
}
