import type { Seen, ShardRow } from '../checkpoints/checkpoint-store.ts';

/** How a wanted shard's row was seen last. Times are of the monotonic clock. */
export interface Sighting {
  readonly epoch: number;
  readonly beat: number;
  /** Since when it is like that. */
  readonly sinceMs: number;
}

/** One shard of a mapping, as this gateway sees it. */
export interface ShardSituation {
  readonly shard: string;
  /** By the ring it is this gateway's. */
  readonly isMine: boolean;
  /** All shards that must be read before are. */
  readonly isReady: boolean;
  /** This gateway holds it, is giving it up, or waits for the answer to a claim. */
  readonly isHeld: boolean;
  /** null = nobody ever had it. */
  readonly row: ShardRow | null;
}

/** What a plan depends on beside the shards. */
export interface ClaimSituation {
  /** gatewayId of this life of this gateway. */
  readonly self: string;
  /** Of the round before, by shard. */
  readonly before: ReadonlyMap<string, Sighting>;
  /** Monotonic. */
  readonly nowMs: number;
}

export interface ClaimPlan {
  /** To be taken now. */
  readonly claim: readonly { readonly shard: string; readonly seen: Seen }[];
  /** To be given up: nothing new is begun, what runs ends, then it is released. */
  readonly giveUp: readonly string[];
  /** For the next round, by shard. */
  readonly sightings: ReadonlyMap<string, Sighting>;
}

/** A row that has not moved for so long has no living owner. */
export const TAKE_OVER_MS = 5_000;
/** Owners give a sign of life so often. */
export const BEAT_MS = 1_500;
/** An owner whose last sign of life that was confirmed was sent so long ago begins nothing any more: somebody else may be about to. */
export const GIVE_UP_MS = 4_000;

/**
 * Which shards to take and which to give up. Pure.
 *
 *   the ring says | row                                    | what happens
 *   mine          | none, or free                          | claimed
 *   mine          | held by this life, which knows nothing | claimed again: the answer was lost
 *   mine          | held by another, moves                 | watched
 *   mine          | held by another, still for 5 s         | claimed: its owner is gone
 *   mine          | held by an earlier life of this one    | the same: it may not be dead yet
 *   mine          | its parents are not read to their ends | nothing
 *   mine          | it is read to its end                  | nothing; given up where it is held
 *   not mine      | held here                              | given up
 *   not mine      | anything else                          | nothing, not even watched
 *
 * Worked: an owner dies at 0. Its last beat was at −1.5 s at the earliest. The ring misses it at 1 s, the new owner sees the row at its next
 * round (1 s), and again the same at 6 s + a round: it claims by 8 s. The ring alone would be as fast, but wrong when a view is.
 */
export function planClaims(shards: readonly ShardSituation[], { self, before, nowMs }: ClaimSituation): ClaimPlan {
  const claim: { shard: string; seen: Seen }[] = [];
  const sightings = new Map<string, Sighting>();
  for (const { shard, isMine, isReady, isHeld, row } of shards) {
    if (!isMine || !isReady || isHeld || row?.isEnd === true) continue;
    if (row === null || row.owner === '' || row.owner === self) {
      claim.push({ shard, seen: row === null ? null : { epoch: row.epoch, beat: row.beat } });
      continue;
    }
    const sighting = sightingOf(row, before.get(shard), nowMs);
    if (nowMs - sighting.sinceMs >= TAKE_OVER_MS) claim.push({ shard, seen: { epoch: row.epoch, beat: row.beat } });
    else sightings.set(shard, sighting);
  }
  const isOver = ({ isMine, isHeld, row }: ShardSituation): boolean => isHeld && (!isMine || row?.isEnd === true);
  const giveUp = shards.filter(isOver).map(({ shard }) => shard);
  return { claim, giveUp, sightings };
}

function sightingOf({ epoch, beat }: ShardRow, before: Sighting | undefined, nowMs: number): Sighting {
  return before?.epoch === epoch && before.beat === beat ? before : { epoch, beat, sinceMs: nowMs };
}
