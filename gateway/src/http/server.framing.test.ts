import { afterEach, expect, test } from '@jest/globals';

import { answered, fetchOnce, sendRaw } from '../testing.ts';
import { echo, path, startServer, stopServers } from './testing.ts';

afterEach(stopServers);

const head = `POST ${path()} HTTP/1.1\r\nHost: x\r\n`;
test.each<[reason: string, request: string]>([
  ['Content-Length and Transfer-Encoding', `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two Content-Lengths', `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n12`],
  ['the same Content-Length twice', `${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\n1`],
  ['a list of Content-Lengths', `${head}Content-Length: 1, 1\r\n\r\n1`],
  ['a sign in Content-Length', `${head}Content-Length: +1\r\n\r\n1`],
  ['a negative Content-Length', `${head}Content-Length: -1\r\n\r\n`],
  ['a hexadecimal Content-Length', `${head}Content-Length: 0x1\r\n\r\n1`],
  ['a transfer coding before chunked', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['a transfer coding that is not chunked', `${head}Transfer-Encoding: identity\r\n\r\n`],
  ['chunked twice', `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a look-alike of chunked', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['a bad chunk size', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n1\r\n0\r\n\r\n`],
  ['a chunk longer than it says', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n12\r\n0\r\n\r\n`],
  ['a huge chunk size', `${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`],
  ['a folded header', `${head}X-A: b\r\n c\r\n\r\n`],
  ['a space before the colon', `${head}Content-Length : 1\r\n\r\n1`],
  ['a bare line feed', `POST ${path()} HTTP/1.1\nHost: x\nContent-Length: 1\n\n1`],
  ['a bare carriage return', `${head}X-A: b\rX-B: c\r\n\r\n`],
  ['a NUL in a header', `${head}X-A: b\0c\r\n\r\n`],
  ['no Host', `POST ${path()} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`],
  ['two Hosts', `${head}Host: y\r\nContent-Length: 0\r\n\r\n`],
  ['an absolute target', 'GET http://other/healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a proxy request', 'CONNECT other:80 HTTP/1.1\r\nHost: other:80\r\n\r\n'],
  ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\r\n\r\n'],
  ['HTTP/0.9', 'GET /\r\n\r\n'],
])('%s: 400 and the end of the connection', async (_reason, request) => {
  let runs = 0;
  const { port } = await startServer(() => {
    runs += 1;
    return Promise.resolve(answered('1'));
  });
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const reply = await sendRaw(port, request + smuggled);
  expect(reply).toMatch(/^HTTP\/1.1 400 /);
  expect(reply.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(runs).toBe(0);
});

test('h2c is passed over', async () => {
  const { port } = await startServer(echo);
  const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAAA' };
  const reply = await fetchOnce(port, { method: 'POST', path: path(), headers, body: '"x"' });
  expect(reply).toMatchObject({ status: 200, body: Buffer.from('"x"') });
});

test('an unknown Expect is 417', async () => {
  const { port } = await startServer(echo);
  expect(await sendRaw(port, `${head}Expect: magic\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 417 /,
  );
});

test('a header named __proto__ is harmless', async () => {
  const { port } = await startServer(echo);
  expect(
    await sendRaw(port, `${head}__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
  ).toMatch(/^HTTP\/1.1 200 /);
});

test('requests on one connection are answered in turn', async () => {
  const { port } = await startServer(echo);
  const one = (body: string, more = '') => `${head}${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const reply = await sendRaw(port, one('"first"') + one('"second"', 'Connection: close\r\n'));
  expect(reply.indexOf('"first"')).toBeGreaterThan(0);
  expect(reply.indexOf('"second"')).toBeGreaterThan(reply.indexOf('"first"'));
});

test('a stopping server ends connections with their answer', async () => {
  const { port } = await startServer(echo, { isStopping: () => true });
  const reply = await sendRaw(port, `POST ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1`);
  expect(reply).toContain('Connection: close');
});
