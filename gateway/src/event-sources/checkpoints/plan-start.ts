import type { Position, Shard } from '../record.ts';

/** What a mapping says of where to begin. */
export interface StartSettings {
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP';
  /** Of AT_TIMESTAMP, epoch milliseconds; else null. */
  readonly timestampMs: number | null;
  /** metadata.creationTimestamp, epoch milliseconds, whole seconds: LATEST is what comes after it, whenever a gateway gets to it. */
  readonly createdMs: number;
}

/** What is known of a mapping's shards. */
export interface ShardsKnown {
  /** All that the source shows now. */
  readonly shards: readonly Shard[];
  /** Ids of those that are read to their ends. */
  readonly ended: ReadonlySet<string>;
}

/**
 * Where a shard is begun that nobody has read. Pure.
 *
 * LATEST is a time, too, and the same one for every shard. A source's own "latest" is when somebody asks: what came between the making of the mapping
 * and that moment would be lost, in a shard that was split meanwhile even much. By the time all is right: of a shard that came later every record is
 * younger, one that was closed before has none, and a child that was there already begins where its parent would.
 */
export function planStart({ startingPosition, timestampMs, createdMs }: StartSettings): Position {
  if (startingPosition === 'TRIM_HORIZON') return { kind: 'start' };
  return { kind: 'since', ms: startingPosition === 'LATEST' ? createdMs : (timestampMs ?? createdMs) };
}

/** Whether a shard may be read: those before it are read to their ends, or the source has them no more. So keys keep their order over a split. */
export function isReady(shard: Shard, { shards, ended }: ShardsKnown): boolean {
  return shard.parents.every((parent) => ended.has(parent) || !shards.some(({ id }) => id === parent));
}
