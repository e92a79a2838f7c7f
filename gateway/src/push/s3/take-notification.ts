import type { EventSourceMappingS3 } from '@kappa/crds/event-source-mapping';

import { InvalidRequestContent } from '../../errors.ts';
import type { IsWanted, PushRequest, Taken } from '../door/pushed-event.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { type S3Record, s3Record } from './s3-record.ts';

/**
 * A notification of a bucket: its records that are wanted are one event. What has no records (a server's test) is answered and dropped.
 *
 * @throws InvalidRequestContent
 */
export function takeNotification(
  { body, requestId }: PushRequest,
  wanted: EventSourceMappingS3,
  { isWanted, region }: { readonly isWanted: IsWanted; readonly region: string },
): Taken {
  const value = parseJson(body);
  const records = isJsonObject(value) ? (value['Records'] ?? []) : null;
  if (!Array.isArray(records))
    throw new InvalidRequestContent('The body is no notification of a bucket: it has no list Records.');
  const read = records.map((record) => s3Record(record, region));
  if (read.some((record) => record === null))
    throw new InvalidRequestContent('A record of the notification has no eventName, bucket or key.');
  const chosen = read.filter((record) => record !== null && isChosen(record, wanted) && isWanted(record.record));
  const filtered = read.length - chosen.length;
  if (chosen.length === 0) return { events: [], filtered };
  const payload = Buffer.from(JSON.stringify({ Records: chosen.map((record) => record?.record) }));
  return { events: [{ id: requestId, payload }], filtered };
}

/** What the mapping says of buckets, events and keys. */
export function isChosen(
  { eventName, bucket, key }: Omit<S3Record, 'record'>,
  { buckets, events, prefix = '', suffix = '' }: EventSourceMappingS3,
): boolean {
  const isOf = (event: string): boolean =>
    event.endsWith('*') ? `s3:${eventName}`.startsWith(event.slice(0, -1)) : event === `s3:${eventName}`;
  return (
    (buckets === undefined || buckets.includes(bucket)) &&
    (events === undefined || events.some(isOf)) &&
    key.startsWith(prefix) &&
    key.endsWith(suffix)
  );
}
