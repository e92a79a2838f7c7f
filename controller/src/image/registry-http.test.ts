import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { registryGet } from './registry-http.ts';

let server: Server;
let origin = '';
beforeAll(async () => {
  server = createServer(({ url, headers }, res) => {
    if (url === '/redirect') res.writeHead(302, { location: '/there' }).end();
    else if (url === '/large') res.end(Buffer.alloc(4 * 1024 * 1024 + 1));
    else res.writeHead(200, { 'x-asked': headers.authorization ?? 'nobody' }).end('text');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const named = (path: string) =>
  registryGet({ origins: [origin] })(AbortSignal.timeout(10_000))(new URL(path, origin), { authorization: 'me' });

test('a registry that the operator names may be private and without TLS', async () => {
  expect(await named('/v2/')).toMatchObject({ status: 200, body: Buffer.from('text'), headers: { 'x-asked': 'me' } });
});

test('where it sends to is for the caller to decide', async () => {
  expect(await named('/redirect')).toMatchObject({ status: 302, headers: { location: '/there' } });
});

test('no more is read than a manifest may have', async () => {
  await expect(named('/large')).rejects.toThrow('more than 4194304 bytes');
});

test.each<[reason: string, url: string, text: string]>([
  ['plain http', 'http://registry.example/v2/', 'https only'],
  ['this machine', 'https://127.0.0.1/v2/', 'not on the public internet'],
  ['the metadata of a cloud', 'https://169.254.169.254/v2/', 'not on the public internet'],
  ['a private address in IPv6', 'https://[fd00::1]/v2/', 'not on the public internet'],
  ['a name of this machine', 'https://localhost/v2/', 'not on the public internet'],
  ['another port of a named one', 'http://127.0.0.1:1/v2/', 'https only'],
])('nothing else inside is asked: %s', async (_reason, url, text) => {
  await expect(registryGet({ origins: [origin] })(AbortSignal.timeout(10_000))(new URL(url), {})).rejects.toThrow(text);
});
