import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { openDirectoryBlobStore } from '../blobs/blob-store.ts';
import { noRouteHosts } from '../http-routes/route-hosts.ts';
import { unknownOperation } from '../lambda-api/errors.ts';
import { fetchOnce, listen, sendRaw } from '../testing.ts';
import { adminRoutes } from './admin-routes.ts';
import { blobRoutes } from './blob-routes.ts';
import { controlApp } from './control-app.ts';
import { makeServer } from './server.ts';

const zip = randomBytes(300_000);
const sha256 = createHash('sha256').update(zip).digest('hex');
const errors: unknown[] = [];
const reasons: string[] = [];
let folder: string;
let server: Server;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kappa-blobs-'));
  const control = controlApp({
    admin: adminRoutes({
      notReadyBecause: () => reasons,
      metrics: () => Promise.reject(new Error('secret detail')),
    }),
    blobs: blobRoutes(await openDirectoryBlobStore(folder, { maxBlobBytes: 1_000_000 }), 52_428_800),
    code: null,
    lambdaApi: (req) =>
      req.url?.endsWith('/answered') === true
        ? Promise.resolve({ status: 201, headers: ['x-amzn-RequestId', 'id'], body: '{}' })
        : Promise.reject(req.url?.endsWith('/bug') === true ? new Error('secret detail') : unknownOperation()),
    onError: (err) => void errors.push(err),
  });
  const nobody = () => Promise.reject(new Error('not in this test'));
  server = makeServer(
    {
      urlDomain: 'fn.localhost',
      routeHosts: noRouteHosts,
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      keepAliveTimeoutMs: 5000,
      lingerMs: 50,
      stallMs: 5000,
    },
    {
      invoke: nobody,
      invokeStream: nobody,
      httpRoute: () => Promise.reject(new Error('not in this test')),
      functionUrl: nobody,
      control,
      newRequestId: () => 'id',
      isStopping: () => false,
      onInFlight: () => undefined,
      onBug: () => undefined,
    },
  );
  port = await listen(server);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe('health', () => {
  test('readiness says why not', async () => {
    reasons.splice(0, reasons.length, 'functions not listed yet');
    const reply = await fetchOnce(port, { path: '/readyz' });
    expect([reply.status, JSON.parse(reply.body.toString())]).toEqual([503, { ready: false, reasons }]);
    reasons.splice(0);
    expect((await fetchOnce(port, { path: '/readyz' })).status).toBe(200);
    expect((await fetchOnce(port, { path: '/healthz' })).status).toBe(200);
  });

  test('a failure inside is 500 without its text', async () => {
    const reply = await fetchOnce(port, { path: '/metrics' });
    expect(reply).toMatchObject({ status: 500, headers: { 'x-kappa-fault': 'platform' } });
    expect(reply.body.toString()).not.toContain('secret');
    expect(errors).toHaveLength(1);
  });
});

test.each<[method: string, path: string, status: number, type: string]>([
  ['GET', '/2015-03-31/nothing', 403, 'AccessDeniedException'],
  ['GET', '/2015-03-31/bug', 500, 'ServiceException'],
  ['GET', '/nothing', 404, 'UnknownOperationException'],
  ['GET', '/%zz', 404, 'UnknownOperationException'],
  ['GET', '/../../etc/passwd', 404, 'UnknownOperationException'],
  ['GET', '/fn/', 404, 'UnknownOperationException'],
  ['DELETE', '/readyz', 404, 'UnknownOperationException'],
])('%s %s is answered truthfully', async (method, path, status, type) => {
  const reply = await sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*x-amzn-ErrorType: ${type}`));
  expect(reply).toMatch(/x-amzn-RequestId: [0-9a-f-]{36}/);
});

test('paths that begin with a date are the Lambda API’s', async () => {
  const reply = await fetchOnce(port, { method: 'POST', path: '/2015-03-31/answered', body: '{}' });
  expect(reply).toMatchObject({ status: 201, headers: { 'x-amzn-requestid': 'id' } });
});

describe('blobs', () => {
  const path = `/blobs/sha256/${sha256}`;

  test('what was put can be had', async () => {
    expect((await fetchOnce(port, { method: 'HEAD', path })).status).toBe(404);
    expect((await fetchOnce(port, { path })).status).toBe(404);
    const put = await fetchOnce(port, { method: 'PUT', path, body: zip });
    expect([put.status, JSON.parse(put.body.toString())]).toEqual([201, { sha256, sizeBytes: zip.length }]);
    expect((await fetchOnce(port, { method: 'PUT', path, body: zip })).status).toBe(201);
    expect((await fetchOnce(port, { method: 'HEAD', path })).status).toBe(200);
    expect((await fetchOnce(port, { path })).body).toEqual(zip);
  });

  test.each<[reason: string, path: string, body: Buffer, status: number]>([
    ['other bytes than the digest says', `/blobs/sha256/${'0'.repeat(64)}`, zip, 400],
    ['no digest', '/blobs/sha256/..%2f..%2fx', zip, 400],
    ['more than the store takes', path, Buffer.alloc(1_000_001), 413],
  ])('refused: %s', async (_reason, at, body, status) => {
    const reply = await fetchOnce(port, { method: 'PUT', path: at, body });
    expect(reply).toMatchObject({ status, headers: { 'x-kappa-fault': 'caller' } });
  });

  test('a length above the limit is refused before a byte is read', async () => {
    const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 52428801\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(port, head)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('an upload that ends half-way leaves nothing', async () => {
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    socket.write(`PUT /blobs/sha256/${'1'.repeat(64)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf`);
    await until(async () => (await readdir(join(folder, 'tmp'))).length === 1);
    socket.destroy();
    await until(async () => (await readdir(join(folder, 'tmp'))).length === 0);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
