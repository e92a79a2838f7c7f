import { type CompressionAlgorithmValue, createRecordsBatch } from '@platformatic/kafka';

/** What a batch has besides its place and its records. */
export interface BatchOver {
  readonly compression?: CompressionAlgorithmValue;
  readonly producerId?: bigint;
  readonly attributes?: number;
  readonly lastOffsetDelta?: number;
  readonly key?: Buffer;
  readonly value?: Buffer;
}

/** A batch of `count` records from an offset on, as a broker gives it. */
export function batchBytes(firstOffset: number, count: number, over: BatchOver = {}): Buffer {
  const { compression = 'none', producerId = -1n, attributes = 0, value = Buffer.from('x'), key } = over;
  const message = { topic: 't', value, ...(key !== undefined && { key }), timestamp: 5n };
  const messages = Array.from({ length: count }, () => ({ ...message }));
  const bytes = Buffer.from(createRecordsBatch(messages, { compression, producerId, producerEpoch: 0 }).buffer);
  bytes.writeBigInt64BE(BigInt(firstOffset), 0);
  bytes.writeInt16BE(bytes.readInt16BE(21) | attributes, 21);
  bytes.writeInt32BE(over.lastOffsetDelta ?? count - 1, 23);
  return bytes;
}

/** By a producer, within a transaction. */
export const by = (producerId: bigint): BatchOver => ({ producerId, attributes: 0b1_0000 });

/** The end of a producer's transaction. */
export const marker = (offset: number, producerId: bigint, kind: 'abort' | 'commit'): Buffer =>
  batchBytes(offset, 1, {
    producerId,
    attributes: 0b11_0000,
    key: Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]),
  });
