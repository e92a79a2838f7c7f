import type { BatchSettings } from '../mapping/mapping-view.ts';
import type { SourceRecord } from '../record.ts';

/** Largest event of a synchronous invocation, as Lambda counts batches: 6 MiB. */
export const MAX_BATCH_BYTES = 6 * 1024 * 1024;
/** What stands around the records: braces, `Records`, broker and window members without their state. */
export const ENVELOPE_BYTES = 4 * 1024;

/** What {@link planBatchOf} looks at. */
export interface Waiting<R> {
  /** In order; read and wanted. */
  readonly records: readonly R[];
  /** When the first of them was read, by the monotonic clock: wall clocks jump. null = there are none. */
  readonly firstReadMs: number | null;
}

/** How many records go to the function now, or when to look again. */
export type BatchDecision =
  | { readonly kind: 'send'; readonly count: number; readonly why: 'records' | 'bytes' | 'window' }
  /** The first record alone is larger than an invocation may be. */
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'wait'; readonly untilMs: number | null };

export interface BatchLimits extends BatchSettings {
  /** Of all records together with what stands around them, e.g. {@link MAX_BATCH_BYTES}. A window's state counts, too. */
  readonly maxBytes: number;
}

/**
 * Whether a batch is full. Pure. Whichever comes first: records, bytes, or the time since its first record was read.
 *
 * @param isLast nothing more will come (a shard has ended, the poller stops): what is there goes
 */
export function planBatchOf<R extends Pick<SourceRecord, 'bytes'>>(
  { records, firstReadMs }: Waiting<R>,
  { maxRecords, windowMs, maxBytes }: BatchLimits,
  nowMs: number,
  isLast = false,
): BatchDecision {
  const [first] = records;
  if (first === undefined || firstReadMs === null) return { kind: 'wait', untilMs: null };
  const room = maxBytes - ENVELOPE_BYTES;
  if (first.bytes > room) return { kind: 'tooLarge' };
  const fitting = countFitting(records, room, maxRecords);
  if (fitting === maxRecords) return { kind: 'send', count: fitting, why: 'records' };
  if (fitting < records.length) return { kind: 'send', count: fitting, why: 'bytes' };
  const untilMs = firstReadMs + windowMs;
  return nowMs >= untilMs || isLast ? { kind: 'send', count: fitting, why: 'window' } : { kind: 'wait', untilMs };
}

/** Of the first records so many fit; each has a comma behind it. */
function countFitting(records: readonly Pick<SourceRecord, 'bytes'>[], room: number, max: number): number {
  let bytes = 0;
  let count = 0;
  for (const record of records.slice(0, max)) {
    bytes += record.bytes + 1;
    if (bytes > room) break;
    count += 1;
  }
  return Math.max(count, 1);
}
