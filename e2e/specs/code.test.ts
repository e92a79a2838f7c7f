import { createHash, randomBytes } from 'node:crypto';
import { Lambda, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2 } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ZipFile } from 'yazl';
import { provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';
import { type S3Server, startS3 } from '../src/s3-server.ts';

/*
 * Code from S3 for who may have it, bounds as settings, and what becomes of code that nothing refers to.
 */

const keepSeconds = 6;
const maxZippedBytes = 3_000_000;
const Role = 'arn:aws:iam::000000000000:role/any';

let s3: S3Server;
let kappa: TestPlatform;
let lambda: Lambda;
beforeAll(async () => {
  s3 = await startS3(await provideAwsCli('http://127.0.0.1:1'));
  const sources = [
    { buckets: ['zips-*'], namespaces: ['default'], endpoint: s3.endpoint },
    { buckets: ['others'], namespaces: ['team-*'], endpoint: s3.endpoint },
  ];
  const keys = {
    KAPPA_CODE_SOURCE_0_ACCESS_KEY_ID: s3.keys.accessKeyId,
    KAPPA_CODE_SOURCE_0_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
  };
  kappa = await startTestPlatform({
    examples: false,
    environment: {
      ...keys,
      KAPPA_CODE_SOURCES: JSON.stringify(sources),
      KAPPA_CODE_MAX_ZIPPED_BYTES: String(maxZippedBytes),
      KAPPA_CODE_MAX_UNPACKED_BYTES: '4000000',
      KAPPA_CODE_KEEP_SECONDS: String(keepSeconds),
    },
  });
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  lambda = new Lambda({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  for (const bucket of ['zips-a', 'others']) {
    await s3.makeBucket(bucket);
    await s3.put(bucket, 'answer.zip', await zipOf({ answer: 's3' }));
  }
}, 900_000);
afterAll(async () => {
  lambda?.destroy();
  await kappa?.stop();
  await s3?.stop();
}, 60_000);

const mtime = new Date(1980, 0, 1);

/** A function that answers `answer`, and ballast; the same bytes each time. */
async function zipOf({ answer, ballast, compress = false }: { answer: string; ballast?: Buffer; compress?: boolean }) {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(`export const handler = () => ${JSON.stringify(answer)};\n`), 'index.mjs', { mtime });
  if (ballast !== undefined) zip.addBuffer(ballast, 'ballast', { compress, mtime });
  zip.end();
  return Buffer.concat(await Array.fromAsync(zip.outputStream as AsyncIterable<Buffer>));
}

const base64Of = (zip: Buffer) => createHash('sha256').update(zip).digest('base64');
const hexOf = (zip: Buffer) => createHash('sha256').update(zip).digest('hex');

async function create(FunctionName: string, Code: object): Promise<{ CodeSha256: string; CodeSize: number }> {
  const usual = { Runtime: 'nodejs24.x', Handler: 'index.handler', Role } as const;
  const { CodeSha256 = '', CodeSize = 0 } = await lambda.createFunction({ FunctionName, ...usual, Code });
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60, minDelay: 1 }, { FunctionName });
  return { CodeSha256, CodeSize };
}

async function answerOf(FunctionName: string): Promise<unknown> {
  const { Payload } = await lambda.invoke({ FunctionName });
  return JSON.parse(Buffer.from(Payload ?? '').toString());
}

describe('from S3', () => {
  test('a bucket that the namespace may have', async () => {
    const zip = await zipOf({ answer: 's3' });
    const code = { S3Bucket: 'zips-a', S3Key: 'answer.zip' };
    expect(await create('from-s3', code)).toEqual({ CodeSha256: base64Of(zip), CodeSize: zip.length });
    expect(await answerOf('from-s3')).toBe('s3');
    const layer = await lambda.publishLayerVersion({ LayerName: 'from-s3', Content: code });
    expect(layer.Content).toMatchObject({ CodeSha256: base64Of(zip), CodeSize: zip.length });
  });

  test.each<[reason: string, code: { S3Bucket: string; S3Key: string }, name: string, message: RegExp]>([
    [
      'another namespace’s bucket',
      { S3Bucket: 'others', S3Key: 'answer.zip' },
      'AccessDeniedException',
      /code\.sources/,
    ],
    [
      'no such key',
      { S3Bucket: 'zips-a', S3Key: 'none.zip' },
      'InvalidParameterValueException',
      /NoSuchKey\. S3 Error Message: The specified key does not exist\.$/,
    ],
    [
      'no such bucket',
      { S3Bucket: 'zips-b', S3Key: 'answer.zip' },
      'InvalidParameterValueException',
      /NoSuchBucket\. S3 Error Message: The specified bucket does not exist$/,
    ],
  ])('refused: %s', async (_reason, code, name, message) => {
    const refused = { name, message: expect.stringMatching(message) };
    await expect(create('refused', code)).rejects.toMatchObject(refused);
    await expect(lambda.updateFunctionCode({ FunctionName: 'from-s3', ...code })).rejects.toMatchObject(refused);
    await expect(lambda.publishLayerVersion({ LayerName: 'refused', Content: code })).rejects.toMatchObject(refused);
  });
});

describe('bounds are the install’s', () => {
  test('a large package is what was sent, to the byte', async () => {
    const zip = await zipOf({ answer: 'large', ballast: randomBytes(2_900_000) });
    expect(await create('large', { ZipFile: zip })).toEqual({ CodeSha256: base64Of(zip), CodeSize: zip.length });
    expect(await answerOf('large')).toBe('large');
    const { Code } = await lambda.getFunction({ FunctionName: 'large' });
    const loaded = Buffer.from(await (await fetch(Code?.Location ?? '')).arrayBuffer());
    expect(loaded.equals(zip)).toBe(true);
  });

  test('they are told', async () => {
    const { AccountLimit } = await lambda.getAccountSettings({});
    expect(AccountLimit).toMatchObject({ CodeSizeZipped: maxZippedBytes, CodeSizeUnzipped: 4_000_000 });
  });

  test.each<[reason: string, zip: () => Promise<Buffer>, name: string, message: RegExp]>([
    [
      'a larger zip',
      async () => zipOf({ answer: '', ballast: randomBytes(3_100_000) }),
      'RequestEntityTooLargeException',
      /^Request must be smaller than 4000000 bytes for the \w+ operation$/,
    ],
    [
      'one that unpacks to more',
      async () => zipOf({ answer: '', ballast: Buffer.alloc(4_100_000), compress: true }),
      'InvalidParameterValueException',
      /^Unzipped size must be smaller than 4000000 bytes$/,
    ],
  ])('refused: %s', async (_reason, zip, name, message) => {
    const refused = { name, message: expect.stringMatching(message) };
    await expect(create('refused', { ZipFile: await zip() })).rejects.toMatchObject(refused);
  });
});

test('code goes when nothing refers to it any more, and not before', async () => {
  const [first, second, unused] = await Promise.all(['first', 'second', 'unused'].map((answer) => zipOf({ answer })));
  if (first === undefined || second === undefined || unused === undefined) throw new Error('three zips');
  const isThere = async (zip: Buffer) => {
    const { ok } = await fetch(`${kappa.endpoint}/blobs/sha256/${hexOf(zip)}`, { method: 'HEAD' });
    return ok;
  };
  const removed = async (what: 'blobs' | 'blob_bytes') => {
    const text = await kappa.metrics('controller');
    return Number(new RegExp(`^kappa_controller_${what}_removed_total (\\S+)$`, 'm').exec(text)?.[1]);
  };
  await create('changing', { ZipFile: first });
  await lambda.publishVersion({ FunctionName: 'changing' });
  await lambda.updateFunctionCode({ FunctionName: 'changing', ZipFile: second });
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60, minDelay: 1 }, { FunctionName: 'changing' });
  await kappa.putBlob(unused);
  await eventually('what nothing refers to is removed', async () => (await removed('blobs')) >= 1, 120_000);
  expect([await isThere(unused), await isThere(first), await isThere(second)]).toEqual([false, true, true]);
  const { Code } = await lambda.getFunction({ FunctionName: 'changing', Qualifier: '1' });
  expect(Buffer.from(await (await fetch(Code?.Location ?? '')).arrayBuffer()).equals(first)).toBe(true);
  await lambda.deleteFunction({ FunctionName: 'changing' });
  const bytes = unused.length + first.length + second.length;
  await eventually('so is the code of both', async () => (await removed('blob_bytes')) >= bytes, 120_000);
  expect([await isThere(first), await isThere(second)]).toEqual([false, false]);
  expect(await isThere(await zipOf({ answer: 's3' }))).toBe(true);
  expect(await answerOf('from-s3')).toBe('s3');
}, 400_000);
