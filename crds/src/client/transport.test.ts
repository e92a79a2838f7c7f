import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FakeApi, until } from './testing.ts';
import { type Call, connectTransport, type Transport } from './transport.ts';

const path = '/api/v1/namespaces/default/configmaps/a';
const get: Call = { method: 'GET', path };
/** Connections that a client opens at most. */
const maxSockets = 64;

let api: FakeApi;
let transport: Transport;

beforeEach(async () => {
  api = await new FakeApi().start();
  api.put('/api/v1/namespaces/default/configmaps', { metadata: { name: 'a', namespace: 'default' } });
  transport = connectTransport(api.kubeconfig);
});

afterEach(() => api.stop());

test('a call that gets no connection, because silent ones take all, ends in its time, and later ones go through', async () => {
  const ended = new AbortController();
  api.fail('call', ...Array.from({ length: maxSockets }, () => 'silent' as const));
  const silent = Array.from({ length: maxSockets }, () => transport.json({ ...get, signal: ended.signal }));
  const failed = Promise.allSettled(silent);
  await until('all connections are taken', () => api.requests.length === maxSockets);
  await expect(transport.json({ ...get, silenceMs: 50 })).rejects.toMatchObject({
    code: 0,
    reason: 'Unreachable',
    cause: expect.objectContaining({ message: 'no free connection for 50 ms' }),
  });
  ended.abort();
  await failed;
  await expect(transport.json(get)).resolves.toMatchObject({ metadata: { name: 'a' } });
  expect(api.requests).toHaveLength(maxSockets + 1);
});

test('kept connections that all break are tried one after the other, then a new one', async () => {
  await Promise.all([transport.json(get), transport.json(get), transport.json(get)]);
  expect(api.connections).toBe(3);
  api.fail('call', 'reset', 'reset', 'reset');
  await expect(transport.json(get)).resolves.toMatchObject({ metadata: { name: 'a' } });
  expect(api.connections).toBe(4);
});

test('a call is not sent again later than a second after the first time, however often it was', async () => {
  let repeated = 0;
  const held = new Set<() => void>();
  const known = new Set<unknown>();
  const server: Server = createServer((request, response) => {
    if (!known.has(request.socket)) {
      known.add(request.socket);
      held.add(() => void response.end('{}')); // all at once, so that each has a connection
      if (held.size === 3) for (const answer of held) answer();
      return;
    }
    repeated += 1;
    setTimeout(() => request.socket.destroy(), 600);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = {
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    contexts: [{ name: 'x', context: { cluster: 'c' } }],
    'current-context': 'x',
  };
  writeFileSync(api.kubeconfig, JSON.stringify(config));
  const slow = connectTransport(api.kubeconfig);
  try {
    await Promise.all([slow.json(get), slow.json(get), slow.json(get)]);
    await expect(slow.json({ ...get, method: 'PUT', body: {} })).rejects.toMatchObject({ code: 0 });
    expect(repeated).toBeLessThan(3);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
