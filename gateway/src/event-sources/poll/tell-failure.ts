import { writable } from '../../async/destinations/message.ts';
import type { Sender } from '../../async/destinations/sender.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Shard, SourceRecord } from '../record.ts';
import type { OpenStream } from '../source.ts';
import { type FailureSource, failureKey, failureRecord } from './failure-record.ts';
import type { PollerClock } from './poller.ts';

/** Records that were given up, for who is to be told of them. */
export interface Failure extends Omit<FailureSource, 'functionArn' | 'info'> {
  readonly stream: OpenStream;
  readonly shard: Shard;
  readonly records: readonly SourceRecord[];
}

/** Tells the mapping's on-failure destination. Rejects when that was not confirmed; then it is told again, so it may be heard twice. */
export type TellFailure = (mapping: MappingView, failure: Failure) => Promise<void>;

/** What {@link failureTeller} works with. */
export interface TellFailureDeps {
  /** By the service in the ARN: sqs, sns, s3. */
  readonly senders: Readonly<Record<string, Sender>>;
  /** Of the mapping's function, without a qualifier. */
  readonly arnOf: (mapping: MappingView) => string;
  readonly clock: Pick<PollerClock, 'sleep'>;
}

/** Who has not been told by then is told again later. Above all time-outs of two requests in a row, and below the watchdog's. */
const MAX_TELLING_MS = 25_000;
const TOPIC = 'kafka://';

/** Queues and topics get the record of the failure, buckets the event with it, and topics of Kafka a letter for each record. */
export function failureTeller({ senders, arnOf, clock }: TellFailureDeps): TellFailure {
  const send = async (mapping: MappingView, { stream, shard, records, ...failure }: Failure): Promise<void> => {
    const { onFailure: arn, namespace, qualifier, uid } = mapping;
    if (arn === null) return;
    const known = { ...failure, functionArn: `${arnOf(mapping)}:${qualifier ?? '$LATEST'}` };
    if (arn.startsWith(TOPIC)) {
      if (stream.sendDeadLetters === undefined) throw new Error(`${arn}: this event source has no topics`);
      const failureOf = (info: FailureSource['info']): string => failureRecord({ ...known, info }, null);
      await stream.sendDeadLetters(arn.slice(TOPIC.length), shard, records, failureOf);
      return;
    }
    const service = arn.split(':')[2] ?? '';
    const sender = senders[service];
    if (sender === undefined) throw new Error(`${arn} is of no service that can be told`);
    const source = { ...known, info: stream.infoOf(shard, records) };
    const isBucket = service === 's3';
    const record = failureRecord(source, isBucket ? stream.eventOf(shard, records, {}) : null);
    const body = isBucket ? record : writable(record);
    await sender({ arn, namespace, body, attributes: {}, key: failureKey(uid, shard.id, source) });
  };
  return async (mapping, failure) => {
    const over = new AbortController();
    const late = clock.sleep(MAX_TELLING_MS, over.signal).then(() => {
      throw new Error(`no answer in ${MAX_TELLING_MS} ms`);
    });
    late.catch(() => undefined); // somebody else was faster
    try {
      await Promise.race([send(mapping, failure), late]);
    } finally {
      over.abort();
    }
  };
}
