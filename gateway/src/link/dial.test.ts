import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { encodeFrame } from './codec.ts';
import { dial } from './dial.ts';
import { Frame } from './generated/frames.ts';
import type { LinkError } from './link-error.ts';
import { startScriptedAgent } from './testing.ts';

const identity = { gatewayId: 'g', epoch: 1, signingKey: generateKeyPairSync('ed25519').privateKey };
const budget = { budgetMs: 300, minPauseMs: 5, maxPauseMs: 20 };
const clock = {
  nowMs: () => performance.now(),
  after: (delayMs: number, call: () => void) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const frame = (type: number, body: object) => encodeFrame(type, 0, JSON.stringify(body));
const hello = frame(Frame.HELLO, { protocol: 1, oldestProtocol: 1, podUid: 'pod', nonce: 'AAAA' });
const welcome = frame(Frame.WELCOME, { state: 'Warm', claim: null, busy: [], perInstance: 1 });

/** Dials and tells how it ended, and how often it was told. */
function start(port: number, podUid = 'pod') {
  const told: string[] = [];
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  const tell = (text: string) => {
    told.push(text);
    (told.length === 1 ? first : second).resolve(text);
  };
  const cancel = dial(
    { host: '127.0.0.1', port, podUid },
    identity,
    clock,
    {
      opened: (_connection, { state }) => tell(`opened ${state}`),
      stateChanged: () => tell('state'),
      failed: (error: LinkError) => tell(`failed ${error.code}`),
      closed: (error: LinkError) => tell(`closed ${error.code}`),
    },
    budget,
  );
  undo.push(cancel);
  return { told, first: first.promise, second: second.promise, cancel };
}

/** A port on which nobody listens, for now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('an agent that is just starting is found as soon as it listens', async () => {
  const port = await freePort();
  const dialled = start(port);
  const server = createServer((socket) => {
    socket.resume();
    socket.end(Buffer.concat([hello, welcome]));
  });
  await new Promise((resolve) => setImmediate(resolve));
  server.listen(port, '127.0.0.1');
  undo.push(() => new Promise((resolve) => server.close(resolve)));
  expect(await dialled.first).toBe('opened Warm');
  expect(await dialled.second).toBe('closed Lost');
});

test('nobody there is Unreachable or NoAnswer after the budget, and told once', async () => {
  const dialled = start(await freePort());
  expect(await dialled.first).toMatch(/^failed (Unreachable|NoAnswer)$/);
  dialled.cancel();
  expect(dialled.told).toHaveLength(1);
});

test('a connection without a HELLO is NoAnswer', async () => {
  const agent = await startScriptedAgent();
  undo.push(agent.close);
  expect(await start(agent.port).first).toBe('failed NoAnswer');
});

test('the wrong pod is not tried again', async () => {
  let connections = 0;
  const agent = await startScriptedAgent((socket) => {
    connections += 1;
    socket.write(hello);
  });
  undo.push(agent.close);
  expect(await start(agent.port, 'another').first).toBe('failed WrongPod');
  expect(connections).toBe(1);
});

test('a protocol that is too new or too old is not tried again', async () => {
  const agent = await startScriptedAgent((socket) =>
    socket.write(frame(Frame.HELLO, { protocol: 9, oldestProtocol: 8, podUid: 'pod', nonce: 'AAAA' })),
  );
  undo.push(agent.close);
  expect(await start(agent.port).first).toBe('failed UnsupportedProtocol');
});

test('letting go is told once, as closed when it was open', async () => {
  const agent = await startScriptedAgent((socket) => socket.write(Buffer.concat([hello, welcome])));
  undo.push(agent.close);
  const dialled = start(agent.port);
  expect(await dialled.first).toBe('opened Warm');
  dialled.cancel();
  dialled.cancel();
  expect(dialled.told).toEqual(['opened Warm', 'closed Closed']);
});
