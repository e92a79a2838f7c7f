import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { codeFetcher } from './fetch-code.ts';

let server: Server;
let origin = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/code.zip') response.end('zip bytes');
    else if (request.url === '/moved.zip') response.writeHead(302, { location: '/code.zip' }).end();
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const local = codeFetcher({ allowLocal: true, timeoutMs: 5_000 });
const strict = codeFetcher({ allowLocal: false, timeoutMs: 5_000 });

test('in local mode a loopback URL is fetched', async () => {
  expect(String(await local(`${origin}/code.zip`, 100))).toBe('zip bytes');
});

test.each<[reason: string, fetch: () => Promise<Buffer>, message: string | RegExp]>([
  ['too large', () => local(`${origin}/code.zip`, 8), 'larger than 8 bytes'],
  ['a redirect', () => local(`${origin}/moved.zip`, 100), 'answered 302'],
  ['not there', () => local(`${origin}/nope`, 100), 'answered 404'],
  ['credentials', () => local(origin.replace('//', '//me:secret@'), 100), 'must not carry credentials'],
  ['plain http', () => strict('http://example.org/code.zip', 100), 'must be https'],
  ['an address of a private network', () => strict('https://10.0.0.1/code.zip', 100), 'public internet'],
  ['cloud metadata', () => strict('https://169.254.169.254/latest', 100), 'public internet'],
  ['IPv6 loopback', () => strict('https://[::1]/code.zip', 100), 'public internet'],
  [
    'a name that leads home',
    () => strict('https://localhost/code.zip', 100),
    'localhost is not on the public internet',
  ],
])('refused: %s', async (_reason, fetch, message) => {
  await expect(fetch()).rejects.toThrow(message);
});
