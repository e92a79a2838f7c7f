import type { References } from './references.ts';

/** A blob as a listing has it (door `@kappa/gateway/blobs`). */
export interface Listed {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** When it was last put, or retired; epoch milliseconds. */
  readonly modifiedMs: number;
}

/** What is known when a round is planned. */
export interface Stock {
  readonly blobs: readonly Listed[];
  readonly retired: readonly Listed[];
  /** Read after both lists. */
  readonly references: References;
}

/** The steps of one round, in this order. */
export interface CollectionPlan {
  /** Somebody refers to them after all, and they are nowhere else. */
  readonly reinstate: readonly Listed[];
  /** Nobody refers to them; the longest unchanged first. */
  readonly retire: readonly Listed[];
  /** Nobody has referred to them for so long; the longest retired first. */
  readonly purge: readonly Listed[];
}

/** Blobs that one round retires, or purges, at most. */
export const MAX_STEPS = 1_000;

/**
 * Decides what becomes of blobs that nobody refers to. Pure. A blob is retired when it was not put for `keepMs` (who is about to refer to it has
 * put it a moment ago) and purged when it has been retired for as long again: in between it is still read, and comes back as soon as somebody
 * refers to it. What was put again after it had been retired is retired again first: purged in the same round it would have had no time. The
 * retired copy of what is there stays for the same reason: who was stopped in the midst of retiring it may be about to take it away.
 *
 * Without a single object nothing is done: an empty API server beside a full store is one whose objects are yet to be restored.
 */
export function planCollection({ blobs, retired, references }: Stock, nowMs: number, keepMs: number): CollectionPlan {
  if (references.objects === 0) return { reinstate: [], retire: [], purge: [] };
  const isNeeded = ({ sha256 }: Listed): boolean => references.digests.has(sha256);
  const overdue = (listed: readonly Listed[]): readonly Listed[] =>
    listed
      .filter((blob) => !isNeeded(blob) && blob.modifiedMs + keepMs <= nowMs)
      .sort((a, b) => a.modifiedMs - b.modifiedMs)
      .slice(0, MAX_STEPS);
  const present = new Set(blobs.map(({ sha256 }) => sha256));
  const onlyRetired = retired.filter(({ sha256 }) => !present.has(sha256));
  return { reinstate: onlyRetired.filter(isNeeded), retire: overdue(blobs), purge: overdue(onlyRetired) };
}
