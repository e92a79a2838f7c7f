import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { Moto } from '../src/moto.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';
import { type S3Server, startS3 } from '../src/s3-server.ts';

/*
 * What is sent to mappings, by real servers: an S3 (versitygw), an SNS (moto, which signs), and CloudEvents by plain HTTP.
 */

const example = (file: string): string => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
const token = 'sesame';

let moto: Moto;
let certificates: Server;
let kappa: TestPlatform;
let aws: AwsCli;
let s3: S3Server;
let file: string;
beforeAll(async () => {
  file = join(mkdtempSync(join(tmpdir(), 'kappa-push-')), 'marks');
  appendFileSync(file, '');
  moto = await Moto.start();
  certificates = await serveCertificates();
  const environment = { KAPPA_AWS_ENDPOINTS: JSON.stringify({ AWS_ENDPOINT_URL_SNS: addressOf(certificates) }) };
  kappa = await startTestPlatform({ examples: false, environment });
  aws = await provideAwsCli(kappa.endpoint);
  s3 = await startS3(aws, '--event-webhook-url', `${kappa.endpoint}/events/default/pictures?token=${token}`);
  for (const name of ['pictures-door', 'orders-door'])
    await kappa.kubectl.ok(['create', 'secret', 'generic', name, `--from-literal=token=${token}`]);
  await kappa.applyReady(marker('marker'));
}, 300_000);
afterAll(async () => {
  await s3?.stop();
  await kappa?.stop();
  await moto?.stop();
  certificates?.close();
  rmSync(join(file, '..'), { recursive: true, force: true });
}, 60_000);

/** The way to moto's certificates: it takes an unsigned request for one of S3. */
async function serveCertificates(): Promise<Server> {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=a';
  const server = createServer((req, res) => {
    fetch(`${moto.url}${req.url}`, { headers: { authorization } })
      .then(async (answer) => res.writeHead(answer.status).end(await answer.text()))
      .catch((error: unknown) => res.writeHead(502).end(String(error)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function addressOf(server: Server): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** A function that appends what it gets to a file. */
function marker(name: string): object {
  const content = `import { appendFileSync } from 'node:fs';
export const handler = async (event) => appendFileSync(${JSON.stringify(file)}, JSON.stringify(event) + '\\n');`;
  const code = { inline: { files: [{ path: 'index.mjs', content }] } };
  const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code };
  return { apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata: { name }, spec };
}

type Mark = Readonly<Record<string, unknown>>;

const marks = (): readonly Mark[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function applyMapping(name: string, spec: object): Promise<void> {
  const object = { apiVersion: 'kappa.dev/v1alpha1', kind: 'EventSourceMapping', metadata: { name } };
  await kappa.kubectl.apply({ ...object, spec: { functionName: 'marker', ...spec } });
  await kappa.kubectl.ok(['wait', `esm/${name}`, '--for=condition=Ready', '--timeout=60s']);
}

const send = (name: string, body: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${kappa.endpoint}/events/default/${name}`, { method: 'POST', headers, body });

test('a picture that is put into a bucket gets a thumbnail', async () => {
  const { accessKeyId, secretAccessKey } = s3.keys;
  const literals = { endpoint: s3.endpoint, accessKeyId, secretAccessKey };
  const args = Object.entries(literals).map(([key, value]) => `--from-literal=${key}=${value}`);
  await kappa.kubectl.ok(['create', 'secret', 'generic', 'store', ...args]);
  await kappa.kubectl.ok(['apply', '-f', example('thumbnail.yaml')]);
  await kappa.kubectl.ok(['wait', 'fn/thumbnail', '--for=condition=Ready', '--timeout=60s']);
  await kappa.kubectl.ok(['wait', 'esm/pictures', '--for=condition=Ready', '--timeout=60s']);
  await s3.makeBucket('pictures');
  const pixels = Buffer.from([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]);
  const picture = Buffer.concat([Buffer.from('P6 3 2 255\n'), pixels]);
  await s3.put('pictures', 'in/note.txt', Buffer.from('no picture'));
  await s3.put('pictures', 'in/a cat+ä.ppm', picture);
  const small = await eventually('there is a thumbnail', () => s3.get('pictures', 'thumbs/a cat+ä.ppm'));
  expect(small).toEqual(Buffer.concat([Buffer.from('P6 2 1 255\n'), Buffer.from([1, 1, 1, 3, 3, 3])]));
}, 120_000);

test("versitygw's notifications become AWS's", async () => {
  await applyMapping('all-of-it', { s3: {}, tokenSecretRef: { name: 'pictures-door', key: 'token' } });
  const own = await startS3(aws, '--event-webhook-url', `${kappa.endpoint}/events/default/all-of-it?token=${token}`);
  try {
    await own.makeBucket('pictures');
    await own.put('pictures', 'a b/ö+.txt', Buffer.from('12345'));
    const isOf = ({ Records }: Mark): boolean => JSON.stringify(Records ?? '').includes('a+b/%C3%B6%2B.txt');
    expect(await eventually('it was told', async () => marks().find(isOf))).toEqual({
      Records: [
        {
          eventVersion: '2.2',
          eventSource: 'aws:s3',
          awsRegion: 'us-east-1',
          eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          eventName: 'ObjectCreated:Put',
          userIdentity: { principalId: own.keys.accessKeyId },
          requestParameters: { sourceIPAddress: '127.0.0.1' },
          responseElements: expect.any(Object),
          s3: {
            s3SchemaVersion: '1.0',
            configurationId: 'webhook-global',
            bucket: { name: 'pictures', ownerIdentity: expect.any(Object), arn: 'arn:aws:s3:::pictures' },
            object: {
              key: 'a+b/%C3%B6%2B.txt',
              size: 5,
              eTag: expect.any(String),
              sequencer: expect.any(String),
            },
          },
        },
      ],
    });
  } finally {
    await own.stop();
  }
}, 120_000);

test('messages of a topic come, and are checked by the certificate of their service', async () => {
  const topicArn = 'arn:aws:sns:us-east-1:123456789012:news';
  const sns = aws.with({ AWS_ENDPOINT_URL: moto.url });
  await sns.json('sns', 'create-topic', '--name', 'news');
  await applyMapping('news', { sns: { topicArn } });
  const to = ['--protocol', 'http', '--notification-endpoint', `${kappa.endpoint}/events/default/news`];
  await sns.json('sns', 'subscribe', '--topic-arn', topicArn, ...to);
  await sns.json('sns', 'publish', '--topic-arn', topicArn, '--message', 'hello from SNS');
  const isOf = ({ Records }: Mark): boolean => JSON.stringify(Records ?? '').includes('hello from SNS');
  const found = await eventually('it has come', async () => marks().find(isOf));
  expect(found).toMatchObject({
    Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', Sns: { Type: 'Notification', TopicArn: topicArn } }],
  });
  const [{ Sns }] = found['Records'] as [{ Sns: Record<string, string> }];
  const { SigningCertUrl: SigningCertURL, UnsubscribeUrl: UnsubscribeURL, Subject: _, ...message } = Sns;
  const forged = { ...message, SigningCertURL, UnsubscribeURL, Message: 'forged' };
  const answer = await send('news', JSON.stringify(forged), { 'content-type': 'text/plain' });
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('its signature is wrong')]);
}, 120_000);

test('CloudEvents', async () => {
  await kappa.kubectl.ok(['apply', '-f', example('cloud-events.yaml')]);
  await kappa.kubectl.ok(['wait', 'fn/orders', '--for=condition=Ready', '--timeout=60s']);
  await kappa.kubectl.ok(['wait', 'esm/orders', '--for=condition=Ready', '--timeout=60s']);
  const headers = {
    ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...{ 'ce-specversion': '1.0', 'ce-source': '/shop', 'ce-type': 'order.placed' },
  };
  expect((await send('orders', '{"total": 120}', { ...headers, 'ce-id': '1' })).status).toBe(202);
  expect((await send('orders', '{"total": 99}', { ...headers, 'ce-id': '2' })).status).toBe(204);
  expect((await send('orders', '{"total": 120}', { ...headers, authorization: 'Bearer x', 'ce-id': '3' })).status).toBe(
    401,
  );
  const ran = /kappa_gateway_invocations_total\{namespace="default",function="orders"\} 1\n/;
  await eventually('it has run', async () => ran.test(await kappa.metrics('gateway')));
}, 120_000);

test('a function that does not exist yet gets its events when it does', async () => {
  const spec = { functionName: 'later', cloudEvents: {}, tokenSecretRef: { name: 'orders-door', key: 'token' } };
  const object = { apiVersion: 'kappa.dev/v1alpha1', kind: 'EventSourceMapping', metadata: { name: 'early' }, spec };
  await kappa.kubectl.apply(object);
  const wait = ['wait', 'esm/early', '--for=jsonpath={.status.conditions[0].reason}=FunctionNotFound', '--timeout=60s'];
  await kappa.kubectl.ok(wait);
  const event = { specversion: '1.0', id: '1', source: '/early', type: 't', data: 'early bird' };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents+json' };
  expect((await send('early', JSON.stringify(event), headers)).status).toBe(202);
  await kappa.applyReady(marker('later'));
  await eventually('it has run', async () => marks().some(({ data }) => data === 'early bird'), 90_000);
}, 180_000);
