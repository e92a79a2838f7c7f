import type { RingMessage, SecondWords } from './messages.ts';

/** Another gateway as it was heard. */
export interface Heard {
  /** Its present life. */
  id: string;
  /** Any byte counts. */
  heardMs: number;
  /** Own ticks since then: an own pause is one tick, however long. */
  ticks: number;
  /** The newest RING of this life; null before the first. */
  message: RingMessage | null;
  /** What the newest one that told of it said of the last second. */
  second: SecondWords | null;
  isLeaving: boolean;
}

/** Sums of tables, by key. */
export function sumCounts(
  tables: readonly (Readonly<Record<string, number>> | undefined)[],
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const table of tables) {
    for (const [key, count] of Object.entries(table ?? {})) sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return sums;
}
