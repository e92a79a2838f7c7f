import { isJsonObject, type JsonObject, textIn } from '../json.ts';
import type { SnsMessage } from './sns-message.ts';

/**
 * The record that Lambda's functions get of a message.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
 */
export function snsRecord(message: SnsMessage): JsonObject {
  const { topicArn, unsubscribeUrl = '' } = message;
  return {
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    EventSubscriptionArn: subscriptionIn(unsubscribeUrl) ?? topicArn,
    Sns: {
      Type: message.type,
      MessageId: message.messageId,
      TopicArn: topicArn,
      Subject: message.subject ?? null,
      Message: message.message,
      Timestamp: message.timestamp,
      SignatureVersion: message.signatureVersion,
      Signature: message.signature,
      SigningCertUrl: message.signingCertUrl,
      UnsubscribeUrl: unsubscribeUrl,
      MessageAttributes: attributesOf(message.attributes),
    },
  };
}

function subscriptionIn(url: string): string | null {
  return URL.canParse(url) ? new URL(url).searchParams.get('SubscriptionArn') : null;
}

/** Type and value of each. */
function attributesOf(attributes: unknown): JsonObject {
  if (!isJsonObject(attributes)) return {};
  const entries = Object.entries(attributes).flatMap(([name, value]) =>
    isJsonObject(value)
      ? [[name, { Type: textIn(value, 'Type') ?? 'String', Value: textIn(value, 'Value') ?? '' }]]
      : [],
  );
  return Object.fromEntries(entries);
}
