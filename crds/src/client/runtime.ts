import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** What the client takes from its process; tests hand in their own. */
export interface Runtime {
  /** Monotonic milliseconds: for durations only. */
  readonly nowMs: () => number;
  /** Epoch milliseconds: for instants that others read. */
  readonly wallMs: () => number;
  /** Ends after `ms`, or at once and quietly when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 <= x < 1, for jitter. */
  readonly random: () => number;
  /** A UUID, for names that must be new. */
  readonly uuid: () => string;
}

/** The real one. */
export const systemRuntime: Runtime = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }).catch(() => undefined),
  random: () => Math.random(),
  uuid: () => randomUUID(),
};
