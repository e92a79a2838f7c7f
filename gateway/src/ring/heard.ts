import type { RingMessage } from './messages.ts';

/** Another gateway as it was heard. */
export interface Heard {
  /** Its present life. */
  id: string;
  /** Any byte counts. */
  heardMs: number;
  /** The newest RING of this life; null before the first. */
  message: RingMessage | null;
  isLeaving: boolean;
}

/** Sums of one of the messages' tables, by key. */
export function sumCounts(
  messages: readonly RingMessage[],
  tableOf: (message: RingMessage) => Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const message of messages) {
    for (const [key, count] of Object.entries(tableOf(message))) sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return sums;
}
