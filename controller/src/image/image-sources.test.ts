import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { imageSources } from './image-sources.ts';
import { parseImageReference } from './reference.ts';

/** Each answer of this registry is in time by itself. */
const answerMs = 300;
const timeoutMs = 500;
let server: Server;
let host = '';
beforeAll(async () => {
  server = createServer((_req, res) => {
    const manifest = { config: { digest: `sha256:${'0'.repeat(64)}` } };
    setTimeout(() => res.end(JSON.stringify(manifest)), answerMs);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

test('a registry has one deadline for all that it is asked about an image', async () => {
  const { describe } = imageSources({
    kubernetes: { get: () => Promise.reject(new Error('no secret is asked for')) },
    isSupported: true,
    namespace: 'kappa-system',
    pullSecrets: [],
    registries: [`http://${host}`],
    timeoutMs,
  });
  const image = parseImageReference(`${host}/cart:7`);
  const refusal = { reason: 'FetchFailed', message: expect.stringContaining('timeout') };
  await expect(image && describe(image, 'amd64')).rejects.toMatchObject(refusal);
});
