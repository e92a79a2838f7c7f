import { createAPI, fetchV12, type Reader } from '@platformatic/kafka';

const FETCH = 1;
/** Has topics by their names, and is spoken by every broker from 2.7 on. */
const VERSION = 12;

/** What a broker answers to a fetch of one topic. */
export interface FetchAnswer {
  /** Of the whole answer; 0 = none. */
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

/** What came of one partition. */
export interface FetchedPartition {
  readonly partition: number;
  /** 0 = none. */
  readonly errorCode: number;
  /** Behind the newest record that may be read. */
  readonly stableOffset: bigint;
  /** Transactions that were aborted, of those that `bytes` has records of. */
  readonly aborted: readonly AbortedTransaction[];
  /** Batches of records as the broker keeps them; the last one may be cut off. Empty = none came. */
  readonly bytes: Buffer;
}

/** Records of that producer, from that offset to its next marker, are not to be seen. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/**
 * A fetch whose records are left as they came. The client's own one unpacks all of them at once, however large they get, and throws the others away
 * when one partition has an error.
 */
export const fetchApi = createAPI<fetchV12.FetchRequest, FetchAnswer>(FETCH, VERSION, fetchV12.createRequest, parse);

/** @see https://kafka.apache.org/protocol#The_Messages_Fetch, version 12 */
function parse(_correlationId: number, _apiKey: number, _apiVersion: number, reader: Reader): FetchAnswer {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  reader.readInt32(); // session
  const topics = reader.readArray((topic) => {
    topic.readString();
    return topic.readArray(partitionOf);
  });
  return { errorCode, partitions: topics.flat() };
}

function partitionOf(reader: Reader): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt64(); // high watermark
  const stableOffset = reader.readInt64();
  reader.readInt64(); // start of the log
  const aborted = reader.readNullableArray((one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() }));
  reader.readInt32(); // preferred replica
  const bytes = reader.readNullableBytes();
  return { partition, errorCode, stableOffset, aborted: aborted ?? [], bytes: bytes ?? Buffer.alloc(0) };
}
