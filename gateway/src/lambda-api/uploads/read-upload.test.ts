import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { type Claim, openDoor } from '../../auth/authenticator.ts';
import { LambdaError } from '../../errors.ts';
import { BufferBudget } from '../../http/buffer-budget.ts';
import { readUpload, type UploadRequest } from './read-upload.ts';
import { Uploads } from './uploads.ts';

const head = { method: 'POST', target: '/', rawHeaders: [] } as unknown as Parameters<typeof openDoor.begin>[0];
const open = openDoor.begin(head);
let blobDir: string;
let budget: BufferBudget;
let server: Server;
let port: number;
let claim: Claim;
/** What became of the last request, before it was released. */
let outcome: PromiseWithResolvers<
  { readonly upload: UploadRequest; readonly bytes: Buffer } | { readonly error: unknown }
>;

beforeEach(async () => {
  blobDir = await mkdtemp(join(tmpdir(), 'kappa-uploads-'));
  budget = new BufferBudget(4_000_000);
  claim = open;
  outcome = Promise.withResolvers();
  const uploads = new Uploads({ blobDir, maxZipBytes: 5_000_000, schedule: () => () => undefined });
  const tooLarge = () =>
    new LambdaError('RequestEntityTooLargeException', 'too large', { status: 413, fault: 'caller' });
  const bounds = { path: ['ZipFile'], limitBytes: 8_000_000, maxRestBytes: 1_000, budget, uploads, tooLarge };
  server = createServer((req, res) => {
    readUpload(req, claim, bounds)
      .then(async (upload) => {
        const { zip, release } = upload;
        outcome.resolve({ upload, bytes: (await zip?.read(0, zip.sizeBytes)) ?? Buffer.alloc(0) });
        release();
        release();
        res.end('taken');
      })
      .catch((error: unknown) => {
        outcome.resolve({ error });
        res.statusCode = 400;
        res.end('refused');
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = Number(Object(server.address()).port);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(budget.usedBytes).toBe(0);
  while ((await waiting()).length > 0) await soon(); // what is released goes at its own pace
  await rm(blobDir, { recursive: true, force: true });
});

const soon = () => new Promise((resolve) => setImmediate(resolve));
/** Packages that lie on the disk. */
const waiting = () => readdir(join(blobDir, 'tmp')).catch(() => []);

async function send(
  body: string,
): Promise<{ readonly status: number; readonly result: Awaited<typeof outcome.promise> }> {
  const { status } = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
  return { status, result: await outcome.promise };
}

test.each([0, 1, 1000, 700_000, 4_999_999])('a package of %d bytes is what was sent', async (size) => {
  const bytes = randomBytes(size);
  const { result } = await send(JSON.stringify({ Publish: true, ZipFile: bytes.toString('base64') }));
  if ('error' in result) throw result.error;
  const { upload } = result;
  expect(result.bytes.equals(bytes)).toBe(true);
  expect(upload.zip).toMatchObject({ sizeBytes: size, sha256: createHash('sha256').update(bytes).digest('hex') });
  expect(JSON.parse(String(upload.bytes))).toEqual({ Publish: true, ZipFile: '' });
});

test('a request without a package', async () => {
  const { result } = await send('{"S3Bucket":"b"}');
  expect(result).toMatchObject({ upload: { zip: null, bytes: Buffer.from('{"S3Bucket":"b"}') } });
});

const forged: Claim = {
  ...open,
  confirm: () => {
    throw new LambdaError('InvalidSignatureException', 'forged', { status: 403, fault: 'caller' });
  },
};

test.each<[reason: string, by: Claim, body: () => string, code: string]>([
  ['no base64', open, () => '{"ZipFile":"*"}', 'SerializationException'],
  ['no base64, of who has not signed it', forged, () => '{"ZipFile":"*"}', 'InvalidSignatureException'],
  [
    'a good one, of who has not signed it',
    forged,
    () => `{"ZipFile":"${'A'.repeat(4_000_000)}"}`,
    'InvalidSignatureException',
  ],
  ['a larger package', open, () => `{"ZipFile":"${'A'.repeat(6_700_000)}"}`, 'RequestTooLargeException'],
  ['a larger body', open, () => `{"ZipFile":"${'A'.repeat(8_000_000)}"}`, 'RequestEntityTooLargeException'],
  ['much beside it', open, () => `{"Description":"${'A'.repeat(3_000_000)}"}`, 'RequestEntityTooLargeException'],
])('refused, and answered: %s', async (_reason, by, body, code) => {
  claim = by;
  const { status, result } = await send(body());
  expect([status, result]).toEqual([400, { error: expect.objectContaining({ code }) }]);
});

test('what the budget has no room for is told to come back', async () => {
  budget.take(3_500_000);
  const { result } = await send(`{"ZipFile":"${'A'.repeat(4_000_000)}"}`);
  expect(result).toMatchObject({ error: { code: 'ServiceException', status: 503, retryAfterSeconds: 1 } });
  budget.give(3_500_000);
});

test('a caller that goes away leaves nothing', async () => {
  const req = request({ port, method: 'POST', headers: { 'content-length': 5_000_000 } });
  req.on('error', () => undefined);
  req.write(`{"ZipFile":"${'A'.repeat(2_000_000)}`);
  while ((await waiting()).length === 0) await soon();
  req.destroy();
  expect(await outcome.promise).toMatchObject({ error: { name: 'CallerGone' } });
});

test('of many large ones at once all come through', async () => {
  const bytes = randomBytes(1_500_000);
  const body = JSON.stringify({ ZipFile: bytes.toString('base64') });
  const sent = [...Array(12).keys()].map(() => fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body }));
  budget.give(20_000_000); // room for all of them
  const answers = await Promise.all((await Promise.all(sent)).map((answer) => answer.text()));
  budget.take(20_000_000);
  expect(answers).toEqual(Array(12).fill('taken'));
});
