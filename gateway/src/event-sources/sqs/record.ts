import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';

import type { QueueMessage } from '../record.ts';
import { SourceProblem } from '../source-problem.ts';

/** Where messages come from. */
export interface QueueName {
  readonly arn: string;
  readonly region: string;
}

/**
 * A message as a function gets it.
 *
 * @param nowMs when it was received, for a server that does not say when it was sent
 * @throws SourceProblem for one that lacks what every message has
 * @see AWS Lambda developer guide, "Using Lambda with Amazon SQS", example event
 */
export function messageOf(message: Message, { arn, region }: QueueName, nowMs: number): QueueMessage {
  const { MessageId: id, ReceiptHandle: handle, Body: body = '' } = message;
  if (id === undefined || handle === undefined)
    throw new SourceProblem('Unreachable', `${arn} gave a message without an id`);
  const { AWSTraceHeader: traceId, ...attributes } = message.Attributes ?? {};
  const record = {
    messageId: id,
    receiptHandle: handle,
    body,
    attributes: { ...attributes, ...(traceId !== undefined && { AWSTraceHeader: traceId }) },
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, attributeOf(value)]),
    ),
    ...(message.MD5OfMessageAttributes !== undefined && { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: region,
  };
  const text = JSON.stringify(record);
  const sentMs = Number(attributes.SentTimestamp ?? Number.NaN);
  return {
    id,
    key: (arn.endsWith('.fifo') ? attributes.MessageGroupId : null) ?? null, // else a group is for fairness, not for order
    arrivedMs: Number.isNaN(sentMs) ? nowMs : sentMs,
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => {
      const { body: _, ...metadata } = record;
      return { metadata, data: { body } };
    },
    handle,
    receives: Number(attributes.ApproximateReceiveCount ?? 1),
    ...(traceId !== undefined && { traceId }),
  };
}

function attributeOf({ StringValue, BinaryValue, DataType }: MessageAttributeValue): Readonly<Record<string, unknown>> {
  return {
    ...(StringValue !== undefined && { stringValue: StringValue }),
    ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType,
  };
}
