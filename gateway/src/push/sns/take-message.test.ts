import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeEach, expect, test } from '@jest/globals';

import { takeMessage } from './take-message.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const nowMs = Date.parse('2026-11-22T10:00:00Z');
const topicArn = 'arn:aws:sns:us-east-1:123456789012:news';
const certificate = 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem';

const notification = {
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: topicArn,
  Subject: 'My First Message',
  Message: 'Hello world!\nä',
  Timestamp: '2026-11-22T09:59:00.000Z',
  SignatureVersion: '2',
  SigningCertURL: certificate,
  UnsubscribeURL: `https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${topicArn}:c9135db0`,
  MessageAttributes: { kind: { Type: 'String', Value: 'greeting' } },
};
const subscription = {
  ...notification,
  Type: 'SubscriptionConfirmation',
  Subject: undefined,
  Message: 'You have chosen to subscribe',
  Token: '2336412f37',
  SubscribeURL: `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=2336412f37`,
};

let asked: string[];
let confirmed: string[];
beforeEach(() => {
  [asked, confirmed] = [[], []];
});

/** The text as AWS's documentation writes it, apart from the code that is tested. */
function signed(message: typeof notification | typeof subscription): object {
  const names =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const values: Record<string, unknown> = message;
  const text = names.map((name) => (values[name] === undefined ? '' : `${name}\n${values[name]}\n`)).join('');
  const algorithm = message.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return { ...message, Signature: sign(algorithm, Buffer.from(text), privateKey).toString('base64') };
}

const take = (message: object, verify: 'Signature' | 'Token' = 'Signature') =>
  takeMessage(
    { body: Buffer.from(JSON.stringify(message)) },
    { topicArn, verify },
    {
      uid: 'uid',
      namespace: 'default',
      isWanted: (record) => !JSON.stringify(record).includes('unwanted'),
      service: {
        keyOf: async (_namespace, url) => {
          asked.push(url);
          return publicKey;
        },
        confirm: async (_namespace, url) => void confirmed.push(url),
      },
      now: () => nowMs,
    },
  );

test.each(['1', '2'])("a notification, signed by version %s, is Lambda's record", async (SignatureVersion) => {
  const message = signed({ ...notification, SignatureVersion });
  const { events } = await take(message);
  const { Signature } = message as { Signature: string };
  expect(events.map(({ payload }) => JSON.parse(payload.toString()))).toEqual([
    {
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: `${topicArn}:c9135db0`,
          Sns: {
            Type: 'Notification',
            MessageId: notification.MessageId,
            TopicArn: topicArn,
            Subject: 'My First Message',
            Message: 'Hello world!\nä',
            Timestamp: '2026-11-22T09:59:00.000Z',
            SignatureVersion,
            Signature,
            SigningCertUrl: certificate,
            UnsubscribeUrl: notification.UnsubscribeURL,
            MessageAttributes: { kind: { Type: 'String', Value: 'greeting' } },
          },
        },
      ],
    },
  ]);
  expect(asked).toEqual([certificate]);
});

test('a message that is sent again has the same id', async () => {
  const [one, again] = [await take(signed(notification)), await take(signed(notification))];
  expect(again.events[0]?.id).toBe(one.events[0]?.id);
  const other = await take(signed({ ...notification, MessageId: 'other' }));
  expect(other.events[0]?.id).not.toBe(one.events[0]?.id);
});

test('a subscription is confirmed, and is no event', async () => {
  expect(await take(signed(subscription))).toEqual({ events: [], filtered: 0 });
  expect(confirmed).toEqual([subscription.SubscribeURL]);
});

test('the end of a subscription is heard; it is not made again', async () => {
  expect(await take(signed({ ...subscription, Type: 'UnsubscribeConfirmation' }))).toEqual({ events: [], filtered: 0 });
  expect(confirmed).toEqual([]);
});

test('what nobody wants is counted', async () => {
  expect(await take(signed({ ...notification, Message: 'unwanted' }))).toEqual({ events: [], filtered: 1 });
});

test('a message without a subject has none', async () => {
  const { events } = await take({ ...notification, Subject: undefined }, 'Token');
  expect(JSON.parse(String(events[0]?.payload)).Records[0].Sns.Subject).toBeNull();
  expect(asked).toEqual([]);
});

test.each<[reason: string, message: object, text: string]>([
  ['another text than was signed', { ...signed(notification), Message: 'other' }, 'its signature is wrong'],
  ['no signature', notification, 'its signature is wrong'],
  ['an unknown version', { ...signed(notification), SignatureVersion: '3' }, 'its signature is wrong'],
  ['one version for the other', { ...signed(notification), SignatureVersion: '1' }, 'its signature is wrong'],
  [
    'a subject that was not signed',
    { ...signed({ ...notification, Subject: '' }), Subject: 'x' },
    'signature is wrong',
  ],
  ['a subscription to elsewhere', { ...signed(subscription), SubscribeURL: 'https://x/' }, 'signature is wrong'],
  [
    'another topic',
    signed({ ...notification, TopicArn: 'arn:aws:sns:us-east-1:1:x' }),
    'us-east-1:1:x is not the topic of this mapping.',
  ],
  ['an old one', signed({ ...notification, Timestamp: '2026-11-22T08:59:59.000Z' }), 'not of the last hour'],
  ['one of tomorrow', signed({ ...notification, Timestamp: '2026-11-22T10:06:00.000Z' }), 'not of the last hour'],
  ['no time', signed({ ...notification, Timestamp: 'now' }), 'not of the last hour'],
  ['raw delivery', { hello: 1 }, 'Raw message delivery must be off'],
  ['a member that is missing', { ...notification, MessageId: undefined }, 'has no text MessageId'],
  ['no object', [], 'no JSON object'],
])('refused: %s', async (_reason, message, text) => {
  await expect(take(message)).rejects.toThrow(text);
  expect(confirmed).toEqual([]);
});
