import type { GiveUpCondition } from './plan-batch.ts';

/** What a record of failure is made from. */
export interface FailureSource {
  /** Of the last try. */
  readonly requestId: string;
  /** With a qualifier, always. */
  readonly functionArn: string;
  readonly condition: GiveUpCondition;
  /** Tries that ran. */
  readonly invokeCount: number;
  /** Version that ran last; null = none ever ran. */
  readonly executedVersion: string | null;
  /** When it was given up, epoch milliseconds: the same in each delivery. */
  readonly decidedMs: number;
  /** @see OpenStream.infoOf */
  readonly info: readonly [name: string, members: Readonly<Record<string, unknown>>];
}

/**
 * The record of records that were given up, version 1.0, as JSON text.
 *
 * @param payload the event as the function got it last, JSON text: only buckets get it
 * @see AWS Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source"
 */
export function failureRecord(source: FailureSource, payload: string | null): string {
  const { requestId, functionArn, condition, invokeCount, executedVersion, decidedMs, info } = source;
  const [infoName, members] = info;
  return JSON.stringify({
    requestContext: { requestId, functionArn, condition, approximateInvokeCount: invokeCount },
    ...(executedVersion !== null && {
      responseContext: { statusCode: 200, executedVersion, functionError: 'Unhandled' },
    }),
    version: '1.0',
    timestamp: new Date(decidedMs).toISOString(),
    [infoName]: members,
    ...(payload !== null && { payload }),
  });
}

/** `aws/lambda/MAPPING/SHARD/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID`. The UUID is that of the last try: a record that is told twice is there once. */
export function failureKey(mapping: string, shard: string, { requestId, decidedMs }: FailureSource): string {
  const at = new Date(decidedMs).toISOString();
  const day = at.slice(0, 10);
  return `aws/lambda/${mapping}/${shard}/${day.replaceAll('-', '/')}/${day}T${at.slice(11, 19).replaceAll(':', '.')}-${requestId}`;
}
