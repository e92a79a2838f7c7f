import type { KafkaRecord } from '@platformatic/kafka';

import type { Position, SourceRecord } from '../record.ts';
import { SourceProblem } from '../source-problem.ts';
import type { FetchedRecord } from './batches.ts';

/** Which partition, as Lambda names it: `orders-0`. */
export const partitionName = (topic: string, partition: number): string => `${topic}-${partition}`;

/** The place after which reading goes on at `offset`. */
export function before(topic: string, partition: number, offset: bigint): Position & { kind: 'after' } {
  return { kind: 'after', id: idOf(topic, partition, offset - 1n) };
}

/** The offset behind a record's id. @throws SourceProblem `PositionLost` for what is none */
export function offsetAfter(id: string): bigint {
  const text = id.slice(id.lastIndexOf(':') + 1);
  if (!/^(-1|\d{1,19})$/.test(text))
    throw new SourceProblem(
      'PositionLost',
      `${id} is no place in a partition: reading begins again at the oldest record`,
    );
  return BigInt(text) + 1n;
}

const idOf = (topic: string, partition: number, offset: bigint): string =>
  `${partitionName(topic, partition)}:${offset}`;

/**
 * A record as Lambda has it: key and value base64, and left out when Kafka has none; header values as lists of signed bytes, as Java writes them.
 *
 * @param nowMs for a record that has no time
 */
export function toSourceRecord(topic: string, partition: number, fetched: FetchedRecord, nowMs: number): SourceRecord {
  const { record, offset, timestampMs, timestampType } = fetched;
  const key = record.key?.toString('base64');
  const text = JSON.stringify({
    topic,
    partition,
    offset: Number(offset),
    timestamp: timestampMs,
    timestampType,
    ...(key !== undefined && { key }),
    ...(record.value !== null && { value: record.value.toString('base64') }),
    headers: headersOf(record),
  });
  return {
    id: idOf(topic, partition, offset),
    key: key ?? null,
    arrivedMs: timestampMs < 0 ? nowMs : timestampMs,
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => ({
      metadata: {
        topic,
        partition,
        offset: Number(offset),
        timestamp: timestampMs,
        timestampType,
        headers: headersOf(record),
      },
      data: {
        ...(record.key !== null && { key: record.key.toString() }),
        ...(record.value !== null && { value: record.value.toString() }),
      },
    }),
  };
}

function headersOf({ headers }: KafkaRecord): readonly Readonly<Record<string, readonly number[]>>[] {
  return headers.map(([name, value]) => ({ [name?.toString() ?? '']: [...new Int8Array(value ?? [])] }));
}
