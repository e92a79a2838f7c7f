import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';

import { listen, until } from '../testing.ts';
import { CallerGone } from './answer.ts';
import { readBody } from './body.ts';
import { BufferBudget } from './buffer-budget.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** The first request of a caller that sends this and leaves, once it is known that he has left. */
async function requestOfGone(text: string): Promise<IncomingMessage> {
  const met = Promise.withResolvers<IncomingMessage>();
  const server = createServer(met.resolve);
  servers.push(server);
  const socket = connect(await listen(server), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  const req = await met.promise;
  socket.destroy();
  await until(() => req.destroyed);
  return req;
}

const head = 'POST / HTTP/1.1\r\nHost: a\r\n';

test.each<[reason: string, text: string]>([
  ['whose body has not come', `${head}Content-Length: 100\r\n\r\n`],
  ['whose body has come in part', `${head}Content-Length: 100\r\n\r\npart`],
  ['that has sent chunks', `${head}Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n`],
])('a caller that has left before its body is read, %s, holds nothing', async (_reason, text) => {
  const req = await requestOfGone(text);
  const budget = new BufferBudget(1000);
  const tooLarge = () => new Error('too large');
  await expect(readBody(req, { limitBytes: 1000, budget, tooLarge })).rejects.toBeInstanceOf(CallerGone);
  expect(budget.usedBytes).toBe(0);
});
