import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';

import { chunkMaxBytes, eventStreamContentType, invokeComplete, payloadChunk } from './event-stream.ts';

/** What the SDK makes of frames. */
async function decode(frames: readonly Buffer[]) {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': eventStreamContentType, 'x-amz-executed-version': '3' });
    res.end(Buffer.concat(frames));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' };
  const client = new LambdaClient({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials });
  try {
    const { EventStream = [], ...head } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' }));
    const events: unknown[] = [];
    for await (const event of EventStream) events.push(event);
    return { head, events };
  } finally {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('the SDK reads the events', async () => {
  const pieces = [Buffer.from('hello '), Buffer.alloc(0), Buffer.alloc(300_000, 7)];
  const { head, events } = await decode([...pieces.map(payloadChunk), invokeComplete({ LogResult: 'bG9n' })]);
  expect(head).toMatchObject({
    StatusCode: 200,
    ExecutedVersion: '3',
    ResponseStreamContentType: eventStreamContentType,
  });
  expect(events.slice(0, 3)).toEqual(pieces.map((piece) => ({ PayloadChunk: { Payload: new Uint8Array(piece) } })));
  expect(events.slice(3)).toEqual([{ InvokeComplete: { LogResult: 'bG9n' } }]);
});

test('an error after the stream has begun is part of the last event', async () => {
  const failed = { ErrorCode: 'Runtime.ExitError', ErrorDetails: 'exit status 1: „x“' };
  const { events } = await decode([payloadChunk(Buffer.from('a')), invokeComplete(failed)]);
  expect(events.at(-1)).toEqual({ InvokeComplete: failed });
});

test('a chunk above the limit is a bug', () => {
  expect(() => payloadChunk(Buffer.alloc(chunkMaxBytes + 1))).toThrow(RangeError);
});
