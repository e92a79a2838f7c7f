import { hash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { imageSources } from './image-sources.ts';
import { parseImageReference } from './reference.ts';

/** Each answer about `slow` is in time by itself, all of them are not. */
const answerMs = 300;
const config = JSON.stringify({ config: { Cmd: ['x'] } });
const manifest = JSON.stringify({ config: { digest: `sha256:${hash('sha256', config, 'hex')}` } });
const basicOf = (username: string): string => `Basic ${Buffer.from(`${username}:x`).toString('base64')}`;
let server: Server;
let host = '';
beforeAll(async () => {
  server = createServer(({ url = '', headers }, res) => {
    if (!url.includes('/slow/') && headers.authorization !== basicOf('second'))
      return res.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    const document = url.includes('/manifests/') ? manifest : config;
    return setTimeout(() => res.end(document), url.includes('/slow/') ? answerMs : 0);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

/** @param auths by path of the registry, who asks for what is below it */
function describe(repository: string, timeoutMs: number, auths: Readonly<Record<string, string>> = {}) {
  const entries = Object.entries(auths).map(([path, username]) => [`${host}${path}`, { username, password: 'x' }]);
  const pullSecret = JSON.stringify({ auths: Object.fromEntries(entries) });
  const data = { '.dockerconfigjson': Buffer.from(pullSecret).toString('base64') };
  const sources = imageSources({
    kubernetes: { get: () => Promise.resolve({ data } as never) },
    isSupported: true,
    namespace: 'kappa-system',
    pullSecrets: ['pull'],
    registries: [`http://${host}`],
    timeoutMs,
  });
  const image = parseImageReference(`${host}/${repository}:7`);
  if (image === null) throw new Error('no reference');
  return sources.describe(image, 'amd64');
}

test('a registry has one deadline for all that it is asked about an image', async () => {
  const refusal = { reason: 'FetchFailed', message: expect.stringContaining('timeout') };
  await expect(describe('slow/cart', 500)).rejects.toMatchObject(refusal);
});

test('who is not let in by one entry of the pull secret tries the next', async () => {
  const auths = { '/shop/cart': 'first', '/shop': 'second' };
  await expect(describe('shop/cart', 60_000, auths)).resolves.toMatchObject({ command: ['x'] });
  const refusal = { reason: 'ImageAccessDenied' };
  await expect(describe('shop/cart', 60_000, { '/shop/cart': 'first' })).rejects.toMatchObject(refusal);
  await expect(describe('shop/cart', 60_000, { '/bank': 'second' })).rejects.toMatchObject(refusal);
});
