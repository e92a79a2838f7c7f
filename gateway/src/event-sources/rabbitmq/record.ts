import type { AsyncMessage } from 'rabbitmq-client';

import type { QueueMessage } from '../record.ts';

/** What stands for no encoding; to say it means the same. @see keepBytes */
export const noEncoding = 'identity';

const plainNames = [
  ...(['contentType', 'contentEncoding', 'priority', 'correlationId', 'replyTo', 'expiration'] as const),
  ...(['messageId', 'type', 'userId', 'appId'] as const),
];

/**
 * A message as a function gets it.
 *
 * @param handle by which this delivery is known
 * @param nowMs when it came, for a sender that does not say when it sent
 * @see AWS Lambda developer guide, "Using Lambda with Amazon MQ", example of RabbitMQ
 */
export function messageOf(message: AsyncMessage, handle: string, nowMs: number): QueueMessage {
  const { headers = {}, redelivered, messageId = handle, durable }: AsyncMessage = message;
  const body: Buffer = message.body;
  const sentMs = message.timestamp === undefined ? null : message.timestamp * 1_000;
  const basicProperties = {
    ...Object.fromEntries(plainNames.map((name) => [name, message[name] ?? null])),
    ...(message.contentEncoding === noEncoding && { contentEncoding: null }),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, headerOf(value)])),
    deliveryMode: durable === true ? 2 : 1,
    timestamp: sentMs === null ? null : timeText.format(sentMs).replaceAll('\u202f', ' '),
    clusterId: null,
    bodySize: body.length,
  };
  const text = JSON.stringify({ basicProperties, redelivered, data: body.toString('base64') });
  const { 'x-delivery-count': deliveries = redelivered ? 1 : 0, 'X-Amzn-Trace-Id': traceId } = headers;
  return {
    id: messageId,
    key: null,
    arrivedMs: sentMs ?? nowMs,
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => ({ metadata: { basicProperties, redelivered }, data: { data: body.toString() } }),
    handle,
    receives: Number(deliveries) + 1, // only quorum queues count
    ...(typeof traceId === 'string' && { traceId }),
  };
}

/** As Amazon MQ's Java client writes it. */
const timeText = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

/** Texts as their bytes, as Lambda has them. */
function headerOf(value: unknown): unknown {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return { bytes: [...Buffer.from(value)] };
  if (Array.isArray(value)) return value.map(headerOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, headerOf(each)]));
}
