import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { cloudWatchSender } from './cloudwatch.ts';
import type { ShipStream } from './shipper.ts';

/** What the server says to a call: a body, the name of an error, or nothing at all. */
type Said = object | string | null;

let server: Server;
let endpoint: string;
/** Without `Logs_20140328.` */
let calls: string[];
let lastHeaders: IncomingHttpHeaders;
/** In turn; then all is well. */
let answers: Said[];

beforeEach(async () => {
  calls = [];
  answers = [];
  server = createServer((req, res) => {
    req.resume();
    req.once('end', () => {
      lastHeaders = req.headers;
      calls.push(String(req.headers['x-amz-target']).slice('Logs_20140328.'.length));
      const said = answers.length === 0 ? {} : answers.shift();
      if (said === null) return;
      res.writeHead(typeof said === 'string' ? 400 : 200, { 'Content-Type': 'application/x-amz-json-1.1' });
      res.end(JSON.stringify(typeof said === 'string' ? { __type: said, message: 'test' } : said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${Object(server.address()).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const credentials = { accessKeyId: 'AKINSTALL', secretAccessKey: 'secret' };
const events = [1, 2, 3, 4].map((timestamp) => ({ timestamp, message: 'x' }));
function send(options: { readonly ownEndpoint?: string; readonly deadlineMs?: number } = {}) {
  const sender = cloudWatchSender({ region: 'us-east-1', ownEndpoint: endpoint, credentials, ...options });
  const to: ShipStream = { endpoint, group: '/aws/lambda/hello', stream: 's' };
  return sender(to, events);
}

test('groups and streams that are missing are made', async () => {
  answers = ['ResourceNotFoundException', 'ResourceAlreadyExistsException'];
  expect(await send()).toEqual({ kind: 'stored', rejected: 0 });
  expect(calls).toEqual(['PutLogEvents', 'CreateLogGroup', 'CreateLogStream', 'PutLogEvents']);
});

test.each<[what: string, said: Said[], kind: 'again' | 'refused']>([
  ['somebody else makes the group just now', ['ResourceNotFoundException', 'OperationAbortedException'], 'again'],
  ['a new stream is not seen yet', ['ResourceNotFoundException', {}, {}, 'ResourceNotFoundException'], 'again'],
  ['there is too much', ['ThrottlingException'], 'again'],
  ['the caller may not', ['AccessDeniedException'], 'refused'],
])('%s', async (_what, said, kind) => {
  answers = said;
  expect(await send()).toMatchObject({ kind, why: expect.stringMatching(/Exception: test/) });
});

test.each<[info: object, rejected: number]>([
  [{ tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2 }, 2],
  [{ tooNewLogEventStartIndex: 3 }, 1],
  [{ tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 3 }, 2],
  [{ tooNewLogEventStartIndex: 0 }, 4],
])('of %j %s events are rejected', async (rejectedLogEventsInfo, rejected) => {
  answers = [{ rejectedLogEventsInfo }];
  expect(await send()).toEqual({ kind: 'stored', rejected });
});

test('a server that says nothing is tried again', async () => {
  answers = [null];
  expect(await send({ deadlineMs: 100 })).toMatchObject({ kind: 'again' });
});

test('the install’s key signs for the install’s server, and nobody’s for others', async () => {
  await send();
  expect(lastHeaders.authorization).toContain('Credential=AKINSTALL/');
  await send({ ownEndpoint: 'http://own' });
  expect(lastHeaders.authorization).toContain('Credential=anonymous/');
});
