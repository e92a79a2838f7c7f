import type { AsyncEvent, Condition, Progress } from './event.ts';

/**
 * Durable lines of events, one per function.
 *
 * | state | how it gets there | what may happen |
 * | --- | --- | --- |
 * | waiting | `put`, `settle` with retry, `replay`, a lease that ran out | `lease` once it is due |
 * | leased | `lease` | `renew`; `settle`: gone, waiting again, or dead |
 * | dead | `settle` with dead | `replay`, `drop`, or removal after the retention |
 *
 * Every promise resolves only when its change is on disk. A lease is a fence: once it has run out and the event was given back to its line
 * (by the next `lease` of that line), what its holder says is refused (`false`) and changes nothing. So an event runs at least once, and no
 * late holder settles what another one runs. A late holder that nobody has replaced is still heard: that saves a second run.
 *
 * Any of them may fail with QueueUnavailable: whether it happened is not known then. QueueFull always means that it did not happen.
 */
export interface EventQueue {
  /**
   * Accepts an event, due at once. The same id again changes nothing while the event is here (an answer may have been lost).
   *
   * @throws QueueFull when the line or the store has no room: the caller gets 429
   * @throws QueueUnavailable when the store did not confirm within its deadline (1 s): the caller gets 503 and may repeat
   */
  put(event: AsyncEvent): Promise<void>;
  /**
   * Up to `count` due events of a line, those due longest first; leased to the caller until `nowMs + leaseMs`. One that can't be read is passed by and told as a problem, again
   * when its lease has run out.
   */
  lease(line: string, wanted: LeaseRequest): Promise<readonly LeasedEvent[]>;
  /** Holds a lease until `untilMs`; false = it was lost. */
  renew(lease: Lease, untilMs: number): Promise<boolean>;
  /** Ends a lease; false = it was lost, and nothing changed. */
  settle(lease: Lease, settlement: Settlement): Promise<boolean>;
  /** Lines that hold waiting or leased events, with their state now. Removes dead events whose time is over, too: call it now and then. */
  lines(nowMs: number): Promise<readonly LineState[]>;
  /** Dead events of a line, newest first. */
  dead(line: string, page: { readonly limit: number; readonly after?: string }): Promise<DeadPage>;
  /** A dead, waiting or leased event by its request id, or undefined. */
  find(line: string, id: string): Promise<StoredEvent | undefined>;
  /**
   * Puts a dead event back into its line, due at once, with no attempts and a new age; false = there is no such dead event.
   *
   * @throws QueueFull when the line or the store has no room
   */
  replay(line: string, id: string, nowMs: number): Promise<boolean>;
  /** Removes a dead or waiting event for good; false = there is none (one that runs is not removed). */
  drop(line: string, id: string): Promise<boolean>;
  /** Tells of lines that got a due event, here or at another gateway; a hint only (may be lost): `lines` is the truth. */
  onDue(listener: (line: string) => void): void;
  /** Tells how many dead events of a line a `settle` of this gateway removed before their time, because newer ones needed the room. */
  onEvicted(listener: EvictionListener): void;
  /** Ends connections and timers; leases stay until they run out. */
  close(): Promise<void>;
}

export type EvictionListener = (line: string, events: number) => void;

export interface LeaseRequest {
  readonly count: number;
  readonly nowMs: number;
  readonly leaseMs: number;
  /** Most bytes of payloads to take at once; at least one event is taken. */
  readonly maxBytes: number;
}

/** A right to run and settle one event. */
export interface Lease {
  readonly line: string;
  readonly id: string;
  /** Unique per lease, made by the store. */
  readonly token: string;
}

export interface LeasedEvent {
  readonly lease: Lease;
  readonly event: AsyncEvent;
  readonly progress: Progress;
  /** Since when it could have been leased, ms since 1970: when it was accepted, its retry was due, or another lease of it was found to be over. */
  readonly dueMs: number;
  readonly leasedUntilMs: number;
}

export type Settlement =
  | { readonly kind: 'done' }
  /** Also the step from a final outcome to its delivery: `progress.delivery` is set then. */
  | { readonly kind: 'retry'; readonly dueMs: number; readonly progress: Progress }
  | { readonly kind: 'dead'; readonly atMs: number; readonly condition: Condition; readonly progress: Progress };

export interface LineState {
  readonly line: string;
  readonly waiting: number;
  readonly leased: number;
  /** When the next waiting event is due or the next lease runs out, ms since 1970; undefined when there is neither. */
  readonly nextMs?: number;
  /** `acceptedMs` of the oldest event that is not settled. */
  readonly oldestMs: number;
}

export interface StoredEvent {
  readonly event: AsyncEvent;
  readonly progress: Progress;
  readonly state: 'waiting' | 'leased' | 'dead';
  /** When it is due, its lease runs out, or it died. */
  readonly atMs: number;
  /** Of a dead event. */
  readonly condition?: Condition;
}

export interface DeadPage {
  readonly events: readonly StoredEvent[];
  /** Give as `after` to go on; undefined on the last page. */
  readonly next?: string;
}

/** The line or the store has no room. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** The store did not confirm in time, or can't be reached: whether the event was kept is not known. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}
