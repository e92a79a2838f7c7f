import { type Batch, batchesOf, type FetchedRecord, recordsOf } from './batches.ts';
import type { AbortedTransaction, FetchedPartition } from './fetch-answer.ts';
import { MAX_UNPACKED_BYTES } from './unpack.ts';

/** As many as a batch of a function may have. */
const MAX_RECORDS = 10_000;
/** In the key of a marker, behind its version: 0 = abort, 1 = commit. */
const ABORT = 0;

/** What a fetch brought of a partition, without what functions must not see. */
export interface Brought {
  /** Oldest first, none before the offset that was asked for. */
  readonly records: readonly FetchedRecord[];
  /** Where reading goes on when all of them were taken: behind markers and aborted records, too. */
  readonly nextOffset: bigint;
  /** That `records` keep in memory. */
  readonly bytes: number;
}

/**
 * The records that are to be seen: those of aborted transactions are left out, the markers of all transactions, and what a batch holds from before
 * the offset that was asked for (a broker gives whole batches). Small records that were packed well are many: what is over 10,000 of them, or
 * 32 MiB, is left for the next fetch. Pure.
 *
 * @throws SourceProblem `InvalidSource` for records that cannot be read
 */
export function committedRecords(partition: Pick<FetchedPartition, 'bytes' | 'aborted'>, from: bigint): Brought {
  const aborting = new Aborting(partition.aborted);
  const records: FetchedRecord[] = [];
  let nextOffset = from;
  let bytes = 0;
  for (const batch of batchesOf(partition.bytes)) {
    const isHidden = aborting.hides(batch);
    if (batch.lastOffset < from) continue;
    if (!isHidden) {
      const room = MAX_RECORDS - records.length;
      const some = recordsOf(batch, from, room);
      records.push(...some.records);
      bytes += some.bytes;
      const last = records.at(-1);
      if (last !== undefined && some.records.length === room) return { records, nextOffset: last.offset + 1n, bytes };
    }
    nextOffset = batch.lastOffset + 1n;
    if (bytes > MAX_UNPACKED_BYTES) break;
  }
  return { records, nextOffset, bytes };
}

/** Producers whose transaction is an aborted one, while batches are gone through in order. */
class Aborting {
  readonly #begun: AbortedTransaction[];
  readonly #producers = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#begun = [...transactions].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether nobody may see it. To be asked for each batch, in order. */
  hides(batch: Batch): boolean {
    for (let next = this.#begun[0]; next !== undefined && next.firstOffset <= batch.lastOffset; next = this.#begun[0]) {
      this.#producers.add(next.producerId);
      this.#begun.shift();
    }
    if (!batch.isControl) return batch.isTransactional && this.#producers.has(batch.producerId);
    if (isAbort(batch)) this.#producers.delete(batch.producerId);
    return true;
  }
}

function isAbort(batch: Batch): boolean {
  const [marker] = recordsOf(batch, batch.firstOffset, 1).records;
  const key = marker?.record.key ?? null;
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT;
}
