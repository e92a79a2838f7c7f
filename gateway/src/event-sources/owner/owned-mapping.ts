import type { Claim } from '../checkpoints/checkpoint-store.ts';
import type { Poller } from '../poll/poller.ts';
import type { Shard } from '../record.ts';

/** A mapping whose shards may be read here. */
export interface OwnedMapping {
  /** metadata.uid. */
  readonly uid: string;
  /** As the source shows them now; empty while that is not known. */
  readonly shards: readonly Shard[];
  /** Begins to read a shard that was claimed. null = its source is not open any more. */
  begin(shard: Shard, holding: Holding): Poller | null;
  /** It refuses what it allowed before: its shards are given up, and it is opened again. */
  readonly isDoubtful: boolean;
  /** Its connection is not trusted any more; no shard of it is held. From now on `shards` is empty until it is open again. */
  reopen(): void;
}

/** A shard that this gateway holds, for its poller. */
export interface Holding {
  readonly claim: Claim;
  /** @see checkpointText; null = nothing is kept yet */
  readonly checkpoint: string | null;
  /** Batches may be begun: a sign of life of this gateway was confirmed, and is younger than GIVE_UP_MS. */
  readonly mayBegin: () => boolean;
  /**
   * Keeps a checkpoint. false = the claim is lost, and the poller is abandoned.
   *
   * @throws QueueUnavailable whether it is kept is not known
   */
  readonly save: (checkpoint: string, isEnd: boolean) => Promise<boolean>;
}
