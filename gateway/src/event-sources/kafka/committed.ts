import type { fetchV12, RecordsBatch } from '@platformatic/kafka';

import { type FetchedRecord, recordsOf } from './record.ts';

const IS_TRANSACTIONAL = 0b1_0000;
const IS_CONTROL = 0b10_0000;
/** Type in the key of a marker: version, then 0 = abort, 1 = commit. */
const ABORT = 0;

/** What a fetch brought of a partition, without what functions must not see. */
export interface Brought {
  /** Oldest first, none before the offset that was asked for. */
  readonly records: readonly FetchedRecord[];
  /** Where reading goes on when all of them were taken: behind markers and aborted records, too. */
  readonly nextOffset: bigint;
}

/**
 * The records that are to be seen: those of aborted transactions are left out, the markers of all transactions, and what a batch holds from before
 * the offset that was asked for (a broker gives whole batches). Pure.
 */
export function committedRecords(
  partition: Pick<fetchV12.FetchResponsePartition, 'records' | 'abortedTransactions'>,
  from: bigint,
): Brought {
  const aborting = new Aborting(partition.abortedTransactions ?? []);
  const batches = partition.records ?? [];
  const seen = batches.filter((batch) => !aborting.hides(batch));
  const last = batches.at(-1);
  const nextOffset = last === undefined ? from : lastOffsetOf(last) + 1n;
  return {
    records: seen.flatMap(recordsOf).filter(({ offset }) => offset >= from),
    nextOffset: nextOffset > from ? nextOffset : from,
  };
}

/** Producers whose transaction is an aborted one, while batches are gone through in order. */
class Aborting {
  readonly #begun: fetchV12.FetchResponsePartitionAbortedTransaction[];
  readonly #producers = new Set<bigint>();

  constructor(transactions: readonly fetchV12.FetchResponsePartitionAbortedTransaction[]) {
    this.#begun = [...transactions].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether nobody may see it. To be asked for each batch, in order. */
  hides(batch: RecordsBatch): boolean {
    for (
      let next = this.#begun[0];
      next !== undefined && next.firstOffset <= lastOffsetOf(batch);
      next = this.#begun[0]
    ) {
      this.#producers.add(next.producerId);
      this.#begun.shift();
    }
    if ((batch.attributes & IS_CONTROL) !== 0) {
      if (isAbort(batch)) this.#producers.delete(batch.producerId);
      return true;
    }
    return (batch.attributes & IS_TRANSACTIONAL) !== 0 && this.#producers.has(batch.producerId);
  }
}

const lastOffsetOf = ({ firstOffset, lastOffsetDelta }: RecordsBatch): bigint => firstOffset + BigInt(lastOffsetDelta);

function isAbort({ records }: RecordsBatch): boolean {
  const key = records[0]?.key ?? null;
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT;
}
