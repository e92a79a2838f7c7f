import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { SnsService } from './sns-service.ts';

/*
 * Whom the gateway may be made to speak to. That it reads real certificates is tested with a real SNS, end to end.
 */

let server: Server;
let asked: { readonly url: string | undefined; readonly host: string | undefined }[];
let nowMs: number;
let answer: { status: number; body: string; headers?: Record<string, string> };
beforeEach(async () => {
  [asked, answer, nowMs] = [[], { status: 200, body: '' }, 0];
  server = createServer((req, res) => {
    asked.push({ url: req.url, host: req.headers.host });
    res.writeHead(answer.status, answer.headers).end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => new Promise((done) => server.close(done)));

const hostOf = (one: Server): string => {
  const address = one.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
};
const service = (endpoint?: string): SnsService =>
  new SnsService({
    endpointsOf: () => (endpoint === undefined ? {} : { AWS_ENDPOINT_URL_SNS: endpoint }),
    now: () => nowMs,
  });
const own = (): string => `http://${hostOf(server)}`;
const confirmation = '/?Action=ConfirmSubscription&TopicArn=arn:t&Token=1';

test.each([
  ['this host', () => `${own()}${confirmation}`],
  ['metadata of a cloud', () => `http://169.254.169.254${confirmation}`],
  ['a host that begins like AWS', () => `https://sns.us-east-1.amazonaws.com.example.com${confirmation}`],
  ['a host that ends like AWS', () => `https://example.com/sns.us-east-1.amazonaws.com${confirmation}`],
  ['a bucket of AWS', () => `https://s3.us-east-1.amazonaws.com${confirmation}`],
  ['credentials before it', () => `https://sns.us-east-1.amazonaws.com@example.com${confirmation}`],
  ['credentials for it', () => `https://a:b@sns.us-east-1.amazonaws.com${confirmation}`],
  ['another port', () => `https://sns.us-east-1.amazonaws.com:8443${confirmation}`],
  ['plain http', () => `http://sns.us-east-1.amazonaws.com${confirmation}`],
  ['a file', () => 'file:///etc/passwd'],
  ['nothing', () => ''],
])('%s is not asked', async (_what, url) => {
  await expect(service().confirm('default', url())).rejects.toMatchObject({ status: 403, fault: 'caller' });
  await expect(service().keyOf('default', url())).rejects.toMatchObject({ status: 403, fault: 'caller' });
  expect(asked).toEqual([]);
});

test('where a server of SNS is said, it is asked in place of AWS, with the name that was meant', async () => {
  await service(own()).confirm('default', `https://sns.eu-central-1.amazonaws.com${confirmation}`);
  await service(own()).confirm('default', `${own()}${confirmation}`);
  expect(asked).toEqual([
    { url: confirmation, host: 'sns.eu-central-1.amazonaws.com' },
    { url: confirmation, host: hostOf(server) },
  ]);
});

test.each([
  ['two slashes', (host: string) => `//${host}/a.pem`],
  ['two backslashes', (host: string) => `\\\\${host}/a.pem`],
  ['a slash and a backslash', (host: string) => `/\\${host}/a.pem`],
  ['two slashes after dots', (host: string) => `/x/..//${host}/a.pem`],
])('a path is a path of the server that is said, also one with %s', async (_what, path) => {
  const strangers: unknown[] = [];
  const other = createServer((req, res) => {
    strangers.push(req.url);
    res.end();
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const at = path(hostOf(other));
  const toKey = await service(own())
    .keyOf('default', `${own()}${at}`)
    .catch((err: unknown) => err);
  await service(own()).confirm('default', `https://sns.eu-west-1.amazonaws.com${at}${confirmation.slice(1)}`);
  const read = `//${hostOf(other)}/a.pem`;
  await new Promise((done) => other.close(done));
  expect(String(toKey)).toContain('has no certificate');
  expect(strangers).toEqual([]);
  expect(asked.map(({ url }) => url)).toEqual([read, `${read}${confirmation.slice(1)}`]);
});

test.each([
  ['another file', '/a.pem'],
  ['a file below', '/x/SimpleNotificationService-1.pem'],
  ['a question', '/SimpleNotificationService-1.pem?Action=Subscribe'],
  ['another server', '//example.com/SimpleNotificationService-1.pem'],
])("%s is no certificate of AWS's", async (_what, path) => {
  const url = `https://sns.us-east-1.amazonaws.com${path}`;
  for (const one of [service(), service(own())])
    await expect(one.keyOf('default', url)).rejects.toThrow('SigningCertURL names no certificate');
  await expect(service(own()).keyOf('default', url.replace(path, '/SimpleNotificationService-0a.pem'))).rejects.toThrow(
    'has no certificate',
  );
  expect(asked.map(({ url }) => url)).toEqual(['/SimpleNotificationService-0a.pem']);
});

test('only subscriptions are confirmed', async () => {
  await expect(service(own()).confirm('default', `${own()}/?Action=DeleteTopic`)).rejects.toMatchObject({
    status: 403,
  });
  expect(asked).toEqual([]);
});

test('redirects are not followed, and answers are bounded', async () => {
  answer = { status: 302, body: '', headers: { location: `${own()}/elsewhere` } };
  await expect(service(own()).confirm('default', `${own()}${confirmation}`)).rejects.toMatchObject({ status: 503 });
  answer = { status: 200, body: 'x'.repeat(70_000) };
  await expect(service(own()).confirm('default', `${own()}${confirmation}`)).rejects.toThrow('more than 65536 bytes');
  expect(asked).toHaveLength(2);
});

test('what is no certificate is refused; a service that fails is asked again', async () => {
  answer = { status: 200, body: 'no certificate' };
  const one = service(own());
  const read = (): Promise<unknown> => one.keyOf('default', `${own()}/a.pem`);
  await expect(read()).rejects.toThrow('SigningCertURL has no certificate');
  answer = { status: 500, body: '' };
  nowMs = 4_999;
  await expect(read()).rejects.toThrow('SigningCertURL has no certificate'); // as a moment ago
  nowMs = 5_000;
  await expect(read()).rejects.toMatchObject({ status: 503 });
  expect(asked).toHaveLength(2);
});

test('what is no certificate by its name is not asked for', async () => {
  const key = service(own()).keyOf('default', `${own()}/?Action=Subscribe`);
  await expect(key).rejects.toThrow('SigningCertURL names no certificate');
  expect(asked).toEqual([]);
});

test('twenty are asked for at a time, five of a namespace', async () => {
  const one = service(own());
  const from = (namespace: string, count: number): readonly Promise<unknown>[] =>
    Array.from({ length: count }, (_, n) => one.keyOf(namespace, `${own()}/${namespace}-${n}.pem`));
  const late = async (all: readonly Promise<unknown>[]): Promise<number> => {
    const ends = await Promise.allSettled(all);
    return ends.filter((end) => end.status === 'rejected' && String(end.reason).includes('too many')).length;
  };
  const all = ['a', 'b', 'c', 'd', 'e'].map((namespace) => late(from(namespace, 10)));
  expect(await Promise.all(all)).toEqual([5, 5, 5, 5, 10]);
  expect(asked).toHaveLength(20);
  await expect(one.keyOf('a', `${own()}/again.pem`)).rejects.toThrow('no certificate');
});

test('messages that name the same certificate wait for it together', async () => {
  const one = service(own());
  const all = Array.from({ length: 50 }, () => one.keyOf('default', `${own()}/a.pem`));
  const ends = await Promise.allSettled(all);
  expect(new Set(ends.map((end) => end.status === 'rejected' && String(end.reason)))).toEqual(
    new Set([expect.stringContaining('no certificate')]),
  );
  expect(asked).toHaveLength(1);
});
