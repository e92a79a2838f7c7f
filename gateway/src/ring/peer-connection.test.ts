import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { Outcome } from '../dispatch/types.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { answered } from '../testing.ts';
import { Forward, type ForwardResult } from './forward.ts';
import { makeForwardHead } from './forward-messages.ts';
import { PeerConnection } from './peer-connection.ts';
import { makePeerIdentity } from './peer-handshake.ts';
import { PeerListener } from './peer-listener.ts';
import { fn, invocationOf, makeInstallKey, until } from './testing.ts';

/** A gateway whose bytes come to a stand, as those of a paused process do. */
let listener: PeerListener;
let relay: Server;
let sockets: Socket[];
let answer: PromiseWithResolvers<Outcome>;
let connection: PeerConnection;
let lost: string[];

beforeEach(async () => {
  const key = makeInstallKey();
  answer = Promise.withResolvers();
  sockets = [];
  lost = [];
  listener = new PeerListener({
    identity: makePeerIdentity('owner.1', key),
    host: '127.0.0.1',
    port: 0,
    budget: new BufferBudget(1_000_000),
    maxStreams: 10,
    maxConnections: 10,
    handshakeMs: 5_000,
    after: () => () => undefined,
    heard: () => undefined,
    ring: (_id, message) => message,
    receive: () => answer.promise,
    onProblem: (error) => lost.push(error.message),
  });
  const port = await listener.whenListening;
  relay = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = { name: 'owner', ip: '127.0.0.1', port: (relay.address() as AddressInfo).port };
  connection = new PeerConnection(address, makePeerIdentity('asker.1', key), {
    opened: () => undefined,
    heard: () => undefined,
    ring: () => undefined,
    closed: ({ message }) => lost.push(message),
  });
  await until(() => connection.isOpen);
});

afterEach(async () => {
  connection.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all([listener.stop(), new Promise((resolve) => relay.close(resolve))]);
});

function standStill(): void {
  for (const socket of sockets) socket.unpipe();
}

function goOn(): void {
  const [near, far] = sockets;
  if (near !== undefined && far !== undefined) near.pipe(far).pipe(near);
}

function forwardOne(results: ForwardResult[]): Promise<Outcome> {
  const invocation = invocationOf();
  const forward = new Forward(invocation, Number.POSITIVE_INFINITY, (result) => results.push(result));
  connection.forward(makeForwardHead(fn('plain').versionUid, invocation, false), invocation.event, forward);
  return forward.outcome;
}

function beat(times: number): void {
  for (let beats = 0; beats < times; beats += 1) connection.sweep(0);
}

test('a gateway that is silent for 49 heartbeats keeps the request that it has, and its answer comes', async () => {
  const results: ForwardResult[] = [];
  const outcome = forwardOne(results);
  standStill();
  beat(49);
  expect({ results, lost }).toEqual({ results: [], lost: [] });
  goOn();
  answer.resolve(answered('late'));
  expect((await outcome).payload.toString()).toBe('late');
  expect(results).toEqual(['answered']);
});

test('one that answers nothing for 50 is lost, with the request that may have run', async () => {
  const results: ForwardResult[] = [];
  const outcome = forwardOne(results);
  standStill();
  beat(50);
  await expect(outcome).rejects.toThrow('The function may have run');
  expect({ results, lost }).toEqual({ results: ['lost'], lost: ['gateway owner answered no PING'] });
});

test('a connection without a request is dialled again sooner', () => {
  connection.say({} as never);
  standStill();
  beat(19);
  expect(connection.isOpen).toBe(true);
  beat(1);
  expect(connection.isOpen).toBe(false);
});
