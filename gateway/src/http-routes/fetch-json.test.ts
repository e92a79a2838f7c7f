import { createServer, type Server, type ServerResponse } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { listen } from '../testing.ts';
import { jsonFetcher } from './fetch-json.ts';

const MAX_BYTES = 1000;
/** What the server does, by path. */
const answers: Readonly<Record<string, (res: ServerResponse) => void>> = {
  '/json': (res) => res.end('{"a":1}'),
  '/redirect': (res) => res.writeHead(302, { location: '/json' }).end('{}'),
  '/large': (res) => res.end(`"${'x'.repeat(MAX_BYTES)}"`),
  '/text': (res) => res.end('text'),
  '/cut': (res) => res.destroy(),
  '/never': () => undefined,
  '/half': (res) => res.write('{'),
};
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer((req, res) => answers[req.url ?? '']?.(res));
  origin = `http://127.0.0.1:${await listen(server)}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const fetchFrom = (url: string, privateOrigins: readonly string[], timeoutMs = 30_000): Promise<unknown> =>
  jsonFetcher({ privateOrigins, timeoutMs, maxBytes: MAX_BYTES })(url);

test('a document of an origin that the install names', async () => {
  expect(await fetchFrom(`${origin}/json`, [origin])).toEqual({ a: 1 });
  expect(await fetchFrom(`${origin}/json`, ['*'])).toEqual({ a: 1 });
  await expect(fetchFrom(`${origin}/json`, ['http://127.0.0.1'])).rejects.toThrow('gateway.privateIssuers');
});

test.each<[reason: string, path: string, want: string]>([
  ['a redirect', '/redirect', 'answered 302'],
  ['a large answer', '/large', 'is larger than 1000 bytes'],
  ['what is no JSON', '/text', 'is not JSON'],
  ['a connection that breaks off', '/cut', 'cannot be reached'],
])('%s is refused', async (_reason, path, want) => {
  await expect(fetchFrom(`${origin}${path}`, [origin])).rejects.toThrow(`${origin}${path} ${want}`);
});

test.each(['/never', '/half'])('a server that stops answering does not hold anybody for ever: %s', async (path) => {
  await expect(fetchFrom(`${origin}${path}`, [origin], 50)).rejects.toThrow('did not answer within 50 ms');
});

describe('what is never asked unless the install names it', () => {
  test.each<[reason: string, url: string, want: string]>([
    ['plain http', 'http://login.example.com/x', 'is not https on the public internet'],
    ['an address of the cluster', 'https://10.0.0.1/x', 'is not https on the public internet'],
    ['cloud metadata', 'https://169.254.169.254/x', 'is not https on the public internet'],
    ['this host in IPv6', 'https://[::1]/x', 'is not https on the public internet'],
    ['a name that leads to this host', 'https://localhost:1/x', 'is not on the public internet'],
    ['credentials', 'https://a:b@login.example.com/x', 'must not carry credentials'],
    ['a file', 'file:///etc/passwd', 'is no protocol of an issuer'],
    ['no URL', 'x', 'is no URL'],
  ])('%s', async (_reason, url, want) => {
    await expect(fetchFrom(url, [])).rejects.toThrow(want);
  });
});
