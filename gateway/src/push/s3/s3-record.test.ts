import { expect, test } from '@jest/globals';
import { decodeKey, encodeKey, s3Record } from './s3-record.ts';
import { takeNotification } from './take-notification.ts';

/** As AWS sends it. */
const aws = {
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-central-1',
  eventTime: '2026-11-22T10:00:00.123Z',
  eventName: 'ObjectCreated:Put',
  userIdentity: { principalId: 'AWS:AIDA' },
  requestParameters: { sourceIPAddress: '192.0.2.1' },
  responseElements: { 'x-amz-request-id': 'C3D1', 'x-amz-id-2': 'FMyU' },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'thumbs',
    bucket: { name: 'pictures', ownerIdentity: { principalId: 'A3NL' }, arn: 'arn:aws:s3:::pictures' },
    object: {
      key: 'in/a+cat%2B%C3%A4.png',
      size: 1024,
      eTag: 'd41d8cd9',
      versionId: '0965',
      sequencer: '0055AED6DCD90281E5',
    },
  },
};
const minio = {
  ...aws,
  eventVersion: '2.0',
  eventSource: 'minio:s3',
  awsRegion: '',
  eventName: 's3:ObjectCreated:Put',
  requestParameters: { principalId: 'minio', region: '', sourceIPAddress: '192.0.2.1' },
  s3: { ...aws.s3, object: { ...aws.s3.object, key: 'in%2Fa+cat%2B%C3%A4.png' } },
  source: { host: '', port: '', userAgent: 'MinIO' },
};
const versitygw = {
  ...aws,
  eventVersion: '2.2',
  eventTime: '2026-11-22T11:00:00+01:00',
  eventName: 's3:ObjectCreated:Put',
  userIdentity: { PrincipalId: 'root' },
  s3: {
    ...aws.s3,
    configurationId: 'webhook-global',
    bucket: { name: 'pictures', ownerIdentity: { PrincipalId: 'root' }, arn: 'arn:aws:s3:::/pictures/in/a cat+ä.png' },
    object: { key: 'in/a cat+ä.png', size: 1024, eTag: 'd41d8cd9', versionId: null, sequencer: '00A1' },
  },
  glacierEventData: { restoreEventData: {} },
};

test("AWS's own records stay as they are", () => {
  const found = s3Record(aws, 'us-east-1');
  expect(found).toEqual({ record: aws, eventName: 'ObjectCreated:Put', bucket: 'pictures', key: 'in/a cat+ä.png' });
  expect(found?.record).toBe(aws);
});

test.each([
  ['MinIO', minio, { eventVersion: '2.0', awsRegion: 'us-east-1' }, {}],
  [
    'versitygw',
    versitygw,
    { eventVersion: '2.2', eventTime: '2026-11-22T10:00:00.000Z', userIdentity: { principalId: 'root' } },
    { configurationId: 'webhook-global', bucket: { ...aws.s3.bucket, ownerIdentity: { principalId: 'root' } } },
  ],
])("%s's records become AWS's", (_name, given, more, s3) => {
  const found = s3Record(given, 'us-east-1');
  const { versionId, ...object } = aws.s3.object;
  const { sequencer } = given.s3.object;
  const wantedObject = { ...object, sequencer, ...(given.s3.object.versionId !== null && { versionId }) };
  expect(found?.record).toEqual({ ...aws, ...more, s3: { ...aws.s3, ...s3, object: wantedObject } });
  expect(found?.key).toBe('in/a cat+ä.png');
});

test('many deleted at once are each deleted', () => {
  const given = { ...versitygw, eventName: 's3:ObjectRemoved:DeleteObjects' };
  expect(s3Record(given, 'us-east-1')?.record['eventName']).toBe('ObjectRemoved:Delete');
});

test.each(['a b/c+d.png', 'ä/%25', "it's (1)!*~.txt", '100%', '日本/語', 'a//b'])(
  'the key %s comes back as it was',
  (key) => {
    expect(decodeKey(encodeKey(key))).toBe(key);
    expect(encodeKey(key)).toMatch(/^[\w./*+%-]+$/);
  },
);

const request = (value: unknown) => ({ headers: {}, requestId: 'r', body: Buffer.from(JSON.stringify(value)) });
const all = { isWanted: () => true, region: 'us-east-1' };
const removed = { ...aws, eventName: 'ObjectRemoved:Delete' };

test.each<[reason: string, wanted: Parameters<typeof takeNotification>[1], records: number]>([
  ['nothing said takes all', {}, 2],
  ['one kind', { events: ['s3:ObjectCreated:*'] }, 1],
  ['one event', { events: ['s3:ObjectRemoved:Delete', 's3:ObjectCreated:Copy'] }, 1],
  ['all of S3', { events: ['s3:*'] }, 2],
  ['a kind is no prefix of a name', { events: ['s3:ObjectCreated'] }, 0],
  ['the bucket', { buckets: ['pictures'] }, 2],
  ['another bucket', { buckets: ['others'] }, 0],
  ['prefix and suffix of the key itself', { prefix: 'in/a cat', suffix: '+ä.png' }, 2],
  ['another prefix', { prefix: 'in/a+cat' }, 0],
  ['another suffix', { suffix: '.jpg' }, 0],
])('chosen by %s', (_reason, wanted, records) => {
  const { events, filtered } = takeNotification(request({ Records: [aws, removed] }), wanted, all);
  const sent: unknown[] = events.length === 0 ? [] : JSON.parse(String(events[0]?.payload)).Records;
  expect([events.length, sent.length, filtered]).toEqual([records > 0 ? 1 : 0, records, 2 - records]);
});

test('filters look at records', () => {
  const isWanted = (record: unknown) => (record as typeof aws).eventName === 'ObjectRemoved:Delete';
  const { events } = takeNotification(request({ Records: [aws, removed] }), {}, { ...all, isWanted });
  expect(JSON.parse(String(events[0]?.payload))).toEqual({ Records: [removed] });
});

test('a test of the server is no event; what is no notification is refused', () => {
  expect(takeNotification(request({ Service: 'Amazon S3', Event: 's3:TestEvent' }), {}, all).events).toEqual([]);
  expect(() => takeNotification(request([aws]), {}, all)).toThrow('no list Records');
  expect(() => takeNotification(request({ Records: [{}] }), {}, all)).toThrow('no eventName, bucket or key');
  expect(() => takeNotification({ ...request(0), body: Buffer.from('{') }, {}, all)).toThrow('The body is no JSON');
  expect(() => takeNotification({ ...request(0), body: Buffer.from([0x22, 0xff, 0x22]) }, {}, all)).toThrow('no JSON');
});
