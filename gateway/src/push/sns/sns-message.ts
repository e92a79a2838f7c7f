import { type KeyObject, verify } from 'node:crypto';

import { InvalidRequestContent } from '../../errors.ts';
import { isJsonObject, parseJson, textIn } from '../json.ts';

/** What SNS sends. @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
export interface SnsMessage {
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly messageId: string;
  readonly topicArn: string;
  readonly message: string;
  readonly timestamp: string;
  readonly subject: string | undefined;
  readonly token: string | undefined;
  readonly subscribeUrl: string | undefined;
  readonly unsubscribeUrl: string | undefined;
  readonly signatureVersion: string;
  readonly signature: string;
  readonly signingCertUrl: string;
  /** As they came. */
  readonly attributes: unknown;
}

const TYPES = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const;
/** Older messages are refused, and those of clocks that are too far ahead: what was caught once is not sent again for ever. */
const MAX_AGE_MS = 3_600_000;
const MAX_AHEAD_MS = 300_000;

/** @throws InvalidRequestContent */
export function parseSnsMessage(body: Buffer): SnsMessage {
  const value = parseJson(body);
  if (!isJsonObject(value)) throw new InvalidRequestContent('The body is no message of SNS: it is no JSON object.');
  const need = (member: string): string => {
    const text = textIn(value, member);
    if (text === undefined) throw new InvalidRequestContent(`The body is no message of SNS: it has no text ${member}.`);
    return text;
  };
  const type = TYPES.find((known) => known === value['Type']);
  if (type === undefined)
    throw new InvalidRequestContent(
      'The body is no message of SNS: Type is not Notification, SubscriptionConfirmation or UnsubscribeConfirmation. Raw message delivery must be off.',
    );
  return {
    type,
    messageId: need('MessageId'),
    topicArn: need('TopicArn'),
    message: need('Message'),
    timestamp: need('Timestamp'),
    subject: textIn(value, 'Subject'),
    token: textIn(value, 'Token'),
    subscribeUrl: textIn(value, 'SubscribeURL'),
    unsubscribeUrl: textIn(value, 'UnsubscribeURL'),
    signatureVersion: textIn(value, 'SignatureVersion') ?? '',
    signature: textIn(value, 'Signature') ?? '',
    signingCertUrl: textIn(value, 'SigningCertURL') ?? '',
    attributes: value['MessageAttributes'] ?? {},
  };
}

/** Whether the message is of this hour. */
export function isTimely({ timestamp }: SnsMessage, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(timestamp);
  return ageMs <= MAX_AGE_MS && ageMs >= -MAX_AHEAD_MS;
}

/**
 * Whether the topic's service signed it: version 1 is RSA with SHA-1, version 2 with SHA-256.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
export function isSigned(message: SnsMessage, key: KeyObject): boolean {
  const algorithm =
    message.signatureVersion === '1' ? 'RSA-SHA1' : message.signatureVersion === '2' ? 'RSA-SHA256' : null;
  if (algorithm === null) return false;
  return verify(algorithm, Buffer.from(signedText(message)), key, Buffer.from(message.signature, 'base64'));
}

/** The members that are signed, by their names, each with its value on a line of its own. */
export function signedText(message: SnsMessage): string {
  const { type, messageId, topicArn, message: text, timestamp, subject, token, subscribeUrl } = message;
  const members =
    type === 'Notification'
      ? { Message: text, MessageId: messageId, Subject: subject, Timestamp: timestamp, TopicArn: topicArn, Type: type }
      : {
          ...{ Message: text, MessageId: messageId, SubscribeURL: subscribeUrl, Timestamp: timestamp },
          ...{ Token: token, TopicArn: topicArn, Type: type },
        };
  return Object.entries(members)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}\n${value}\n`]))
    .join('');
}
