import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { startTestS3, type TestS3, testCredentials } from '../../blobs/testing-versitygw.ts';
import { Uploads } from '../uploads/uploads.ts';
import { parseCodeSources } from './code-sources.ts';
import { s3Reader } from './s3-source.ts';

const maxZipBytes = 3_000_000;
const large = Buffer.alloc(2_500_000, 'large');
let server: TestS3;
let blobDir: string;
let s3: S3Client;

beforeAll(async () => {
  server = await startTestS3();
  blobDir = await mkdtemp(join(tmpdir(), 'kappa-s3-source-'));
  const { endpoint } = server;
  s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: testCredentials });
  for (const Bucket of ['team-a-zips', 'secret', 'kappa-code']) {
    await s3.send(new CreateBucketCommand({ Bucket }));
    const Body = Buffer.from(`of ${Bucket}`);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'folder/code.zip', Body }));
  }
  await s3.send(new PutObjectCommand({ Bucket: 'team-a-zips', Key: 'large.zip', Body: large }));
  await s3.send(new PutObjectCommand({ Bucket: 'team-a-zips', Key: 'huge.zip', Body: Buffer.alloc(3_000_001) }));
}, 600_000);
afterAll(async () => {
  s3.destroy();
  await server.close();
  await rm(blobDir, { recursive: true, force: true });
});

const keys = (secret = testCredentials.secretAccessKey) => ({
  KAPPA_CODE_SOURCE_0_ACCESS_KEY_ID: testCredentials.accessKeyId,
  KAPPA_CODE_SOURCE_0_SECRET_ACCESS_KEY: secret,
});

/** Reads as a function of a namespace would, on an install with one source. */
async function read(
  place: { bucket?: string; key?: string; version?: string; namespace?: string },
  change: { source?: object; env?: Readonly<Record<string, string>> } = {},
): Promise<Buffer> {
  const source = {
    buckets: ['team-a-*', 'gone', 'kappa-*'],
    namespaces: ['team-a'],
    endpoint: server.endpoint,
    ...change.source,
  };
  const sources = parseCodeSources({ ...keys(), KAPPA_CODE_SOURCES: JSON.stringify([source]), ...change.env });
  const schedule = () => () => undefined;
  const uploads = new Uploads({ blobDir, maxZipBytes, schedule });
  const own = { endpoint: server.endpoint, bucket: 'kappa-code' };
  const { bucket = 'team-a-zips', key = 'folder/code.zip', version, namespace = 'team-a' } = place;
  const zip = await s3Reader({ sources, own, uploads })({ bucket, key, version }, namespace);
  try {
    const bytes = await zip.read(0, zip.sizeBytes);
    expect(zip.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    return bytes;
  } finally {
    await zip.discard();
  }
}

test('an object of a bucket that the namespace may have', async () => {
  expect(String(await read({}))).toBe('of team-a-zips');
});

test('a large one goes over a file, which does not outlive it', async () => {
  expect((await read({ key: 'large.zip' })).equals(large)).toBe(true);
  expect(await readdir(join(blobDir, 'tmp'))).toEqual([]);
});

const denied = { code: 'AccessDeniedException', status: 403, fault: 'caller' };
const notFor = (bucket: string, namespace: string) =>
  `Your access has been denied by S3, please make sure your request credentials have permission to GetObject for ${bucket}/folder/code.zip. S3 Error Code: AccessDenied. S3 Error Message: this install lets the namespace ${namespace} have no code from that bucket: the setting code.sources (KAPPA_CODE_SOURCES) would`;

test.each<[reason: string, place: Parameters<typeof read>[0], message: string]>([
  ['another bucket that the keys reach', { bucket: 'secret' }, notFor('secret', 'team-a')],
  ['another namespace', { namespace: 'team-b' }, notFor('team-a-zips', 'team-b')],
  ['the install’s own bucket, whatever the patterns say', { bucket: 'kappa-code' }, notFor('kappa-code', 'team-a')],
])('refused: %s', async (_reason, place, message) => {
  await expect(read(place)).rejects.toMatchObject({ ...denied, message });
});

test('refused: everything, without the setting', async () => {
  await expect(read({}, { env: { KAPPA_CODE_SOURCES: '' } })).rejects.toMatchObject({
    ...denied,
    message: expect.stringContaining('code.sources'),
  });
});

const parameter = { code: 'InvalidParameterValueException', status: 400 };

test.each<[reason: string, place: Parameters<typeof read>[0], want: object]>([
  [
    'no such object',
    { key: 'none.zip' },
    {
      ...parameter,
      message:
        'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
    },
  ],
  [
    'no such bucket',
    { bucket: 'gone' },
    {
      ...parameter,
      message:
        'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist',
    },
  ],
  [
    'no such version',
    { version: 'nonsense' },
    { ...parameter, message: expect.stringMatching(/^Error occurred while GetObject\. S3 Error Code: /) },
  ],
  [
    'one that is too large',
    { key: 'huge.zip' },
    { code: 'RequestTooLargeException', status: 413, message: 'Zipped size must be smaller than 3000000 bytes' },
  ],
  ['a way out of the bucket', { key: '../secret/folder/code.zip' }, { ...parameter, message: /'\.\.'/ }],
  ['a long way out', { key: 'a/./../../secret/folder/code.zip' }, { ...parameter, message: /'\.\.'/ }],
])('in Lambda’s words: %s', async (_reason, place, { message, ...want }: { message?: unknown }) => {
  const refused = read(place);
  await expect(refused).rejects.toMatchObject(want);
  await refused.catch((err: Error) => {
    if (message instanceof RegExp) expect(err.message).toMatch(message);
    else expect(err.message).toEqual(message);
  });
});

test('keys that the store does not know are told as S3 tells them', async () => {
  await expect(read({}, { env: keys('wrong') })).rejects.toMatchObject({
    ...denied,
    message: expect.stringMatching(
      /^Your access has been denied by S3, .* for team-a-zips\/folder\/code\.zip\. S3 Error Code: /,
    ),
  });
});

test('a store that does not answer is the platform’s', async () => {
  await expect(read({}, { source: { endpoint: 'http://127.0.0.1:1' } })).rejects.toMatchObject({
    code: 'ServiceException',
    fault: 'platform',
    retryAfterSeconds: 1,
  });
});
