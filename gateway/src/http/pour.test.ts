import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';

import { listen } from '../testing.ts';
import type { AnswerSource } from './answer.ts';
import { pour } from './pour.ts';

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Pieces, then the end, or what breaks it off. */
function sourceOf(pieces: readonly string[], failure?: Error): AnswerSource & { isDiscarded: boolean } {
  const left = [...pieces];
  return {
    isDiscarded: false,
    next() {
      const piece = left.shift();
      if (piece === undefined && failure !== undefined) return Promise.reject(failure);
      return Promise.resolve(piece === undefined ? null : Buffer.from(piece));
    },
    discard() {
      this.isDiscarded = true;
    },
  };
}

/** Everything that a caller gets on the wire, and how the connection ends. */
async function get(source: AnswerSource, version: '1.0' | '1.1'): Promise<{ body: string; error: string | undefined }> {
  let poured = Promise.resolve();
  server = createServer((_req, res) => {
    res.writeHead(200);
    res.flushHeaders();
    poured = pour(res, source, 1000);
  });
  const port = await listen(server);
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET / HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`);
  let text = '';
  let error: string | undefined;
  socket.on('data', (bytes) => {
    text += bytes;
  });
  socket.on('error', (err: NodeJS.ErrnoException) => {
    error = err.code;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  await poured;
  return { body: text.slice(text.indexOf('\r\n\r\n') + 4), error };
}

const failure = new Error('broken off');

test('pieces are chunks, and the end is one', async () => {
  expect(await get(sourceOf(['one', 'three']), '1.1')).toEqual({
    body: '3\r\none\r\n5\r\nthree\r\n0\r\n\r\n',
    error: undefined,
  });
});

test('one that breaks off has no last chunk; what was written before arrives', async () => {
  expect((await get(sourceOf(['one'], failure), '1.1')).body).toBe('3\r\none\r\n');
});

test('where the end of the connection is the end of the body, only a whole one ends well', async () => {
  expect(await get(sourceOf(['one']), '1.0')).toEqual({ body: 'one', error: undefined });
  server.close();
  expect(await get(sourceOf(['one'], failure), '1.0')).toMatchObject({ error: 'ECONNRESET' });
});

test('a caller that has gone before the first byte is nobody to write for', async () => {
  const source = sourceOf(['one', 'two']);
  server = createServer((req, res) => {
    req.socket.destroy();
    res.once('close', () => void pour(res, source, 1000).then(() => server.emit('poured')));
  });
  const port = await listen(server);
  const poured = new Promise((resolve) => server.once('poured', resolve));
  connect(port, '127.0.0.1')
    .on('error', () => undefined)
    .write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await poured;
  expect(source.isDiscarded).toBe(true);
});
