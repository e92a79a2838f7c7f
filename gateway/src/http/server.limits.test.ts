import { connect } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';

import { answered, fetchOnce, sendRaw, until } from '../testing.ts';
import { echo, path, startServer, stopServers } from './testing.ts';

afterEach(stopServers);

test('a Content-Length above the limit is 413 before a byte of it is read', async () => {
  const { port } = await startServer(echo);
  const reply = await sendRaw(
    port,
    `POST ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 6291557\r\nConnection: close\r\n\r\n`,
  );
  expect(reply).toMatch(/^HTTP\/1.1 413 /);
  expect(reply).toContain(
    '{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}',
  );
});

test('with Expect: 100-continue it is 413 without a Continue', async () => {
  const { port } = await startServer(echo);
  const head = `POST ${path()} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n`;
  expect(await sendRaw(port, `${head}Content-Length: 70000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /);
});

test('the limit itself is taken', async () => {
  const { port, budget } = await startServer((_target, { event }) => Promise.resolve(answered(String(event.length))));
  const body = Buffer.alloc(6_291_556, 0x20);
  body[0] = 0x31;
  const reply = await fetchOnce(port, { method: 'POST', path: path(), body });
  expect(reply.body.toString()).toBe('6291556');
  expect(budget.usedBytes).toBe(0);
});

test('a chunked body is 413 as soon as it goes over', async () => {
  const { port, budget } = await startServer(echo);
  const piece = Buffer.alloc(1_000_000, 0x20);
  const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
  const head = Buffer.from(`POST ${path()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
  const reply = await sendRaw(
    port,
    Buffer.concat([head, ...Array.from({ length: 7 }, () => chunk), Buffer.from('0\r\n\r\n')]),
  );
  expect(reply).toMatch(/^HTTP\/1.1 413 /);
  expect(budget.usedBytes).toBe(0);
});

test('bodies that do not fit together are 503', async () => {
  const { port, budget } = await startServer(echo, { budgetBytes: 10 });
  const reply = await fetchOnce(port, { method: 'POST', path: path(), body: '"0123456789"' });
  expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1', 'x-kappa-fault': 'platform' } });
  expect(budget.usedBytes).toBe(0);
});

test('large headers are 431', async () => {
  const { port } = await startServer(echo);
  expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  );
});

test('a caller that goes away in its body leaves nothing behind', async () => {
  const { port, budget, inFlight } = await startServer(echo);
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`);
  await until(() => budget.usedBytes === 100);
  socket.destroy();
  await until(() => budget.usedBytes === 0 && inFlight() === 0);
});
