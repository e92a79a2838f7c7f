import { setTimeout as pause } from 'node:timers/promises';

import type { Position, Shard, SourceRecord } from './record.ts';
import type { ReadResult, ReadWish } from './source.ts';

/** Records that were got and that nobody has asked for yet, of all shards; beyond it those that wait longest are got again. */
const AHEAD_BYTES = 32 * 1024 * 1024;
/** Records that are asked for at least: the calls are few for each shard, so small batches would be slow. */
const PORTION = 500;
/** Cursors that are kept; a shard that was read to its end needs none. */
const MAX_CURSORS = 10_000;

/** Calls of a service that is read by iterators: Kinesis, and the streams of DynamoDB. All may reject with SourceProblem. */
export interface IteratorCalls {
  /** Records of one call at most. */
  readonly maxRecords: number;
  /** Between two calls for one shard, milliseconds. */
  readonly restMs: number;
  iterator(shard: Shard, from: Position, signal: AbortSignal): Promise<string>;
  /** @returns null for an iterator that has expired */
  records(shard: Shard, iterator: string, limit: number, signal: AbortSignal): Promise<Portion | null>;
}

/** What one call gave. */
export interface Portion {
  readonly records: readonly SourceRecord[];
  /** null = the shard is closed, and these are its last ones. */
  readonly next: string | null;
  /** How old the newest record is that was not given, milliseconds; 0 = none is there; null = the service does not say. */
  readonly behindMs: number | null;
}

/** How far a shard was read, and what of it waits here. */
interface Cursor extends Portion {
  /** Of the first of `records`, or of what comes next. */
  readonly from: Position;
  readonly bytes: number;
}

/**
 * Reads shards by iterators, which live for minutes: one goes on where the last call ended, also over stretches without records, and a new one is asked for
 * only when somebody begins elsewhere or it has expired.
 */
export class IteratorReader {
  readonly #calls: IteratorCalls;
  /** By shard; the one that was read last is the last one. */
  readonly #cursors = new Map<string, Cursor>();

  constructor(calls: IteratorCalls) {
    this.#calls = calls;
  }

  async read({ shard, from, max, waitMs, signal }: ReadWish): Promise<ReadResult> {
    const endMs = performance.now() + waitMs;
    let cursor = this.#take(shard, from);
    let restMs = 0;
    for (;;) {
      if (cursor === null || (cursor.records.length === 0 && cursor.next !== null)) {
        if (restMs > 0) await pause(restMs, undefined, { signal });
        cursor = await this.#call(shard, from, cursor, { max, signal });
        restMs = this.#calls.restMs;
      }
      const isDone = cursor.records.length > 0 || cursor.next === null || cursor.behindMs === 0;
      if (isDone || performance.now() + restMs >= endMs) return this.#give(shard, cursor, max, restMs);
    }
  }

  async #call(
    shard: Shard,
    from: Position,
    cursor: Cursor | null,
    { max, signal }: Pick<ReadWish, 'max' | 'signal'>,
  ): Promise<Cursor> {
    const limit = Math.min(Math.max(max, PORTION), this.#calls.maxRecords);
    const known = cursor?.next ?? (await this.#calls.iterator(shard, from, signal));
    const portion =
      (await this.#calls.records(shard, known, limit, signal)) ??
      (await this.#calls.records(shard, await this.#calls.iterator(shard, from, signal), limit, signal));
    // Two in a row can only be a service whose clock stands elsewhere: the next read begins anew.
    const { records, next, behindMs } = portion ?? { records: [], next: known, behindMs: null };
    const wanted = from.kind === 'since' ? records.filter(({ arrivedMs }) => arrivedMs >= from.ms) : records;
    return {
      from,
      records: wanted,
      next,
      behindMs: behindMs ?? (records.length === 0 ? 0 : null),
      bytes: wanted.reduce((sum, record) => sum + record.bytes, 0),
    };
  }

  #give(shard: Shard, cursor: Cursor, max: number, restMs: number): ReadResult {
    const records = cursor.records.slice(0, max);
    const rest = cursor.records.slice(max);
    const last = records.at(-1);
    const next: Position = last === undefined ? cursor.from : { kind: 'after', id: last.id };
    const isEnd = rest.length === 0 && cursor.next === null;
    if (!isEnd) {
      const bytes = rest.reduce((sum, record) => sum + record.bytes, 0);
      this.#keep(shard, { ...cursor, from: next, records: rest, bytes });
    }
    const behindMs = rest.length > 0 ? null : cursor.behindMs;
    return { records, next, isEnd, behindMs, behindRecords: null, restMs };
  }

  #take({ id }: Shard, from: Position): Cursor | null {
    const cursor = this.#cursors.get(id);
    this.#cursors.delete(id);
    return cursor !== undefined && isSame(cursor.from, from) ? cursor : null;
  }

  #keep({ id }: Shard, cursor: Cursor): void {
    this.#cursors.set(id, cursor);
    let bytes = this.#cursors.values().reduce((sum, kept) => sum + kept.bytes, 0);
    for (const [oldest, kept] of this.#cursors) {
      if (bytes <= AHEAD_BYTES && this.#cursors.size <= MAX_CURSORS) break;
      this.#cursors.delete(oldest);
      bytes -= kept.bytes;
    }
  }
}

function isSame(one: Position, other: Position): boolean {
  if (one.kind === 'after') return other.kind === 'after' && one.id === other.id;
  if (one.kind === 'since') return other.kind === 'since' && one.ms === other.ms;
  return other.kind === 'start';
}
