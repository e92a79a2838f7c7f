import type { EventQueue } from './event-queue.ts';
import type { QueueLimits } from './queue-limits.ts';
import { RedisQueue } from './redis-queue.ts';
import type { ScheduleMarks } from './schedule-marks.ts';
import { SqliteQueue } from './sqlite-queue.ts';

export interface EventQueueOptions {
  readonly redis: { readonly url: string; readonly password: string } | null;
  /** The SQLite file where there is no Redis. */
  readonly eventsFile: string;
  readonly queueLimits: QueueLimits;
  /** Is told each problem of the store, also the same one again. */
  readonly onProblem: (problem: Error) => void;
}

/**
 * The queue of this install: in Redis where there is one, else in a file (local mode). Redis need not be there yet: calls fail until it is.
 *
 * @throws Error when the file can't be opened
 */
export function openEventQueue({
  redis,
  eventsFile,
  queueLimits,
  onProblem,
}: EventQueueOptions): EventQueue & ScheduleMarks {
  return redis === null
    ? new SqliteQueue(eventsFile, queueLimits, onProblem)
    : new RedisQueue({ ...redis, onProblem }, queueLimits);
}
