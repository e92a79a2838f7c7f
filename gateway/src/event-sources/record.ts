/** One record of a source on its way to a function. Made by the source's folder; nobody changes it. */
export interface SourceRecord {
  /** What a function names as failed: messageId, sequence number, `topic-partition:offset`. Unique within what is read of one shard. */
  readonly id: string;
  /** Records of one key keep their order: partition key, message group. null = the source keeps none for this record. */
  readonly key: string | null;
  /** When the source got it, epoch milliseconds of the source's clock. */
  readonly arrivedMs: number;
  /** The record as it stands in the function's event, JSON text. */
  readonly text: string;
  /** Of `text` in UTF-8. */
  readonly bytes: number;
  /** What filters look at; made only when there are filters, since it may parse. */
  readonly filterable: () => Filterable;
}

/** A record as filter patterns see it. */
export interface Filterable {
  /** All members but those in `data`, already as JSON values. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Members whose text the user wrote, e.g. `body` of SQS: plain text, or JSON that patterns look into. */
  readonly data: Readonly<Record<string, string>>;
}

/** Whether a record is given to the function. */
export type RecordFilter = (record: Pick<SourceRecord, 'filterable'>) => boolean;

/** A message of a queue: the source remembers that it was given out. */
export interface QueueMessage extends SourceRecord {
  /** By which the source knows this delivery of it: receipt handle, delivery tag, entry id. */
  readonly handle: string;
  /** How often it was given out, this time included; >= 1. A source that does not count says 1. */
  readonly receives: number;
  /** `X-Amzn-Trace-Id` that came with it; by its lineage loops are noticed. */
  readonly traceId?: string;
}

/**
 * Where reading of a shard goes on.
 *
 * | kind | first record |
 * | --- | --- |
 * | start | the oldest that the source has |
 * | since | the first that arrived at `ms` or later; a source that knows no times reads from its oldest one and leaves out what is older |
 * | after | the one after `id` |
 */
export type Position =
  | { readonly kind: 'start' }
  | { readonly kind: 'since'; readonly ms: number }
  | { readonly kind: 'after'; readonly id: string };

/** A part of a source that is read by one gateway at a time. */
export interface Shard {
  /** `queue` for what has no parts. At most 200 characters. */
  readonly id: string;
  /** Shards that must be read to their ends before this one begins, as far as the source still has them. */
  readonly parents: readonly string[];
}
