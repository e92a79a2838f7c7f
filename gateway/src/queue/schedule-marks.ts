import type { AsyncEvent } from './event.ts';

/** A step of a schedule: it is made only from where the schedule stands. */
export interface MarkChange {
  /** metadata.uid of the schedule's mapping. */
  readonly id: string;
  /** What stands there now; undefined = nothing does. */
  readonly before: string | undefined;
  /** At most 1,000 characters. */
  readonly after: string;
}

/**
 * How far schedules have come, beside the events that they fire: one short text for each. A text is changed only by who knows what stands
 * there, so of several gateways that fire at the same time one does, and the others hear that they came late. No clock and no lease is in it.
 *
 * Every promise resolves when its change is on disk. All may reject with QueueUnavailable: whether it happened is not known then; read the mark
 * again.
 */
export interface ScheduleMarks {
  /** What stands there; what has no mark is left out. */
  marks(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Moves a mark; false = something else stands there, and nothing was changed. */
  mark(change: MarkChange): Promise<boolean>;
  /**
   * Accepts an event as EventQueue's `put` does and moves a mark, both or neither; false = something else stands there, and nothing was changed.
   *
   * @throws QueueFull when the line or the store has no room: nothing was changed
   */
  fire(event: AsyncEvent, change: MarkChange): Promise<boolean>;
  /** All that have a mark. */
  markedIds(): Promise<readonly string[]>;
  /** Removes marks of schedules that are gone. */
  unmark(ids: readonly string[]): Promise<void>;
}
