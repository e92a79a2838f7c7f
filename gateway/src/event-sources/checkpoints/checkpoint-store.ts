/** One shard of one mapping among all that are kept. */
export interface ShardKey {
  /** metadata.uid of the mapping. */
  readonly mapping: string;
  /** Of the source; at most 200 characters. */
  readonly shard: string;
}

/** The right to read a shard and to say how far it is read. */
export interface Claim {
  readonly key: ShardKey;
  /** Made by the store, one higher with each claim of the shard. Lower ones are worth nothing from then on. */
  readonly epoch: number;
}

/** What everybody may know of a shard. Small: a gateway reads those of its mappings each second. */
export interface ShardRow {
  readonly key: ShardKey;
  readonly epoch: number;
  /** gatewayId of who has it; empty = it was given back. */
  readonly owner: string;
  /** Changes with each sign of life of its owner. A row whose epoch and beat stay as they are for long has no living owner. */
  readonly beat: number;
  /** It is read to its end. */
  readonly isEnd: boolean;
}

/** A claim that was just made, and how far the shard is read. */
export interface Claimed extends Claim {
  /** @see checkpointText; null = nothing is kept yet. */
  readonly checkpoint: string | null;
}

/** An owner's row as it was seen: what a claim may replace. null = there is no row. */
export type Seen = Pick<ShardRow, 'epoch' | 'beat'> | null;

/**
 * How far shards are read, and by whom. One interface, two stores (Redis; SQLite in local mode), one table of tests for both.
 *
 * | state of a row | how it gets there | what may happen |
 * | --- | --- | --- |
 * | none | never claimed, or `forget` | `claim` with seen = null |
 * | free | `release` | `claim` by anybody |
 * | held | `claim` | `beat`, `save`, `release` by its owner's epoch; `claim` by who has seen it not move (a compare-and-set on epoch and beat) |
 *
 * No clock is in it: the store never says that an owner is late. Who wants a shard watches its row with a monotonic clock of its own, and takes
 * it when it has not changed for long enough (plan-claims). Wrong watches are harmless: the epoch fences, so at worst a batch runs twice. So
 * clocks that jump, of gateways or of the store, neither lose a shard nor give it to two.
 *
 * Every promise resolves when its change is on disk. All may reject with QueueUnavailable: whether it happened is not known then.
 */
export interface CheckpointStore {
  /**
   * Takes a shard: null = the row is not as `seen` any more. A row that is free, or that `owner` has already (an answer was lost), may be
   * taken whatever was seen.
   */
  claim(key: ShardKey, owner: string, seen: Seen): Promise<Claimed | null>;
  /** A sign of life for all of them at once (one write to disk); answers those that are lost. */
  beat(claims: readonly Claim[]): Promise<readonly Claim[]>;
  /** Keeps a checkpoint, and is a sign of life; false = the claim is lost, and nothing was changed. @param checkpoint at most 1.2 MB */
  save(claim: Claim, checkpoint: string, isEnd: boolean): Promise<boolean>;
  /** Gives it back; false = it was lost before. Its checkpoint stays. */
  release(claim: Claim): Promise<boolean>;
  /** All rows of these mappings. */
  rows(mappings: readonly string[]): Promise<readonly ShardRow[]>;
  /** Uids of all mappings with rows: those that are gone from the cluster for long are forgotten. */
  mappings(): Promise<readonly string[]>;
  /** Removes all rows of a mapping that is gone. */
  forget(mapping: string): Promise<void>;
  /** Lets go of the store; what is under way may fail. */
  close(): Promise<void>;
}
