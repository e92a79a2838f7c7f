import { type KafkaRecord, Reader, readRecord } from '@platformatic/kafka';

import { SourceProblem, toSourceProblem } from '../source-problem.ts';
import { unpack } from './unpack.ts';

const HEAD_BYTES = 61;
/** Offset and length go before what the length counts. */
const BEFORE_LENGTH = 12;
const COMPRESSION = 0b111;
const LOG_APPEND_TIME = 0b1000;
const TRANSACTIONAL = 0b1_0000;
const CONTROL = 0b10_0000;

/** A batch of records as it stands in the log, not unpacked. @see https://kafka.apache.org/documentation/#recordbatch */
export interface Batch {
  readonly firstOffset: bigint;
  /** Compaction may have taken the record that had it. */
  readonly lastOffset: bigint;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  /** It holds a transaction's marker, and no records. */
  readonly isControl: boolean;
  readonly isAppendTime: boolean;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly compression: number;
  readonly count: number;
  readonly packed: Buffer;
}

/** A record with what stands in its batch. */
export interface FetchedRecord {
  readonly record: KafkaRecord;
  readonly offset: bigint;
  /** Epoch milliseconds; -1 = it has none. */
  readonly timestampMs: number;
  readonly timestampType: 'CREATE_TIME' | 'LOG_APPEND_TIME';
}

/** The whole batches in what was fetched. @throws SourceProblem for formats from before Kafka 0.11 */
export function batchesOf(bytes: Buffer): readonly Batch[] {
  const batches: Batch[] = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    batches.push(batchOf(bytes.subarray(at, end)));
    at = end;
  }
  return batches;
}

function batchOf(bytes: Buffer): Batch {
  if (bytes.readInt8(16) !== 2)
    throw new SourceProblem(
      'InvalidSource',
      'the topic has records in a format from before Kafka 0.11, which is not read',
    );
  const firstOffset = bytes.readBigInt64BE(0);
  const attributes = bytes.readInt16BE(21);
  return {
    firstOffset,
    lastOffset: firstOffset + BigInt(bytes.readInt32BE(23)),
    producerId: bytes.readBigInt64BE(43),
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    isAppendTime: (attributes & LOG_APPEND_TIME) !== 0,
    firstTimestamp: bytes.readBigInt64BE(27),
    maxTimestamp: bytes.readBigInt64BE(35),
    compression: attributes & COMPRESSION,
    count: bytes.readInt32BE(57),
    packed: bytes.subarray(HEAD_BYTES),
  };
}

/**
 * Records of a batch, at most `max`, none before the offset `from`.
 *
 * @returns also the bytes that they keep in memory
 * @throws SourceProblem `InvalidSource` when it cannot be unpacked
 */
export function recordsOf(
  batch: Batch,
  from: bigint,
  max: number,
): { records: readonly FetchedRecord[]; bytes: number } {
  const unpacked = unpackedOf(batch);
  const reader = Reader.from(unpacked);
  const records: FetchedRecord[] = [];
  for (let left = batch.count; left > 0 && records.length < max; left -= 1) {
    const record = readRecord(reader);
    const offset = batch.firstOffset + BigInt(record.offsetDelta);
    if (offset < from) continue;
    records.push({
      record,
      offset,
      timestampMs: Number(batch.isAppendTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta),
      timestampType: batch.isAppendTime ? 'LOG_APPEND_TIME' : 'CREATE_TIME',
    });
  }
  return { records, bytes: unpacked.length };
}

/** @throws SourceProblem `InvalidSource` */
function unpackedOf({ packed, compression, firstOffset, lastOffset }: Batch): Buffer {
  try {
    return unpack(packed, compression);
  } catch (cause) {
    const { reason, message } = toSourceProblem(cause);
    const way = 'reading goes on when these records are deleted (kafka-delete-records)';
    throw new SourceProblem(reason, `offsets ${firstOffset} to ${lastOffset}: ${message}; ${way}`, { cause });
  }
}
