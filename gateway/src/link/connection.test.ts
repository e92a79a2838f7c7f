import { afterEach, expect, test } from '@jest/globals';

import { until } from '../testing.ts';
import { encodeFrame } from './codec.ts';
import { Frame } from './generated/frames.ts';
import { closeAll, framesIn, open } from './testing.ts';
import { readExchange, recordedIdentity, recordedUid } from './testing-exchange.ts';

afterEach(closeAll);

const hello = readExchange('handshake-ok').filter(
  (frame) => frame.from === 'agent' && ['HELLO', 'WELCOME'].includes(frame.type),
);
const openFully = async () => {
  const opened = await open(recordedUid, recordedIdentity);
  const socket = await opened.agent.connection();
  for (const frame of hello) socket.write(frame.bytes);
  await until(
    () => opened.connection.isOpen,
    () => `${opened.events}`,
  );
  return { ...opened, socket };
};

test('a lost link ends every stream once, then itself, and takes nothing more', async () => {
  const { connection, socket, events, invokeSink, claimSink } = await openFully();
  connection.claim('{}', Buffer.alloc(0), claimSink(1));
  connection.invoke('{}', Buffer.alloc(0), invokeSink(2));
  socket.destroy();
  await until(
    () => events.length === 4,
    () => `${events}`,
  );
  expect(events).toEqual(['opened Warm', '1 lost Lost', '2 lost Lost', 'closed Lost']);
  expect(connection.invoke('{}', Buffer.alloc(0), invokeSink(3))).toBe(false);
  connection.close();
  expect(events).toHaveLength(4);
});

test('LOG brings lines, with the head that agents write', async () => {
  const { socket, events } = await openFully();
  const head = JSON.stringify({ stream: '2026/11/22/[$LATEST]ab', first: 7 });
  const size = Buffer.alloc(4);
  size.writeUInt32BE(head.length);
  socket.write(encodeFrame(Frame.LOG, 0, Buffer.concat([size, Buffer.from(head), Buffer.from('lines')])));
  await until(
    () => events.length === 2,
    () => `${events}`,
  );
  expect(events).toEqual(['opened Warm', 'log 2026/11/22/[$LATEST]ab 7 lines']);
  socket.write(encodeFrame(Frame.LOG, 0, Buffer.from('\0\0\0\x02{}')));
  await until(
    () => events.length === 3,
    () => `${events}`,
  );
  expect(events.at(-1)).toBe('closed BadFrame');
});

test('only who wants LOG says so in AUTH, and the signature is the same', async () => {
  const authOf = async (features?: readonly string[]) => {
    const identity = { ...recordedIdentity, ...(features && { features }) };
    const { agent } = await open(recordedUid, identity);
    (await agent.connection()).write(hello[0]?.bytes ?? '');
    await until(
      () => agent.received().length > 0,
      () => 'no AUTH',
    );
    const [frame] = framesIn(agent.received());
    return JSON.parse(String(frame?.subarray(12)));
  };
  const { features, ...rest } = await authOf(['logs']);
  expect(features).toEqual(['logs']);
  expect(await authOf()).toEqual(rest);
});

test('the last word of an agent that has ended: what is open did not run', async () => {
  const { connection, socket, events, invokeSink, claimSink } = await openFully();
  connection.claim('{}', Buffer.alloc(0), claimSink(1));
  connection.invoke('{}', Buffer.alloc(0), invokeSink(2));
  socket.write(encodeFrame(Frame.ERROR, 0, JSON.stringify({ code: 'Draining', message: 'the pod has ended' })));
  await until(
    () => events.length === 4,
    () => `${events}`,
  );
  expect(events).toEqual(['opened Warm', '1 refused Draining', '2 refused Draining', 'closed Draining']);
});

test('a PING without an answer makes the pod suspect, two make it lost; one answer makes it well', async () => {
  const { connection, socket, agent } = await openFully();
  const pings = () => framesIn(agent.received()).filter((frame) => frame[4] === Frame.PING).length;
  expect([...'1234'].map(() => connection.beat())).toEqual(['well', 'well', 'suspect', 'lost']);
  expect(connection.beat()).toBe('lost');
  await until(
    () => pings() === 4,
    () => `${pings()} PINGs`,
  );
  expect(connection.isOpen).toBe(true);
  socket.write(encodeFrame(Frame.PONG, 0));
  await until(
    () => connection.beat() === 'well',
    () => 'the answer was not heard',
  );
});

test('a PING is answered', async () => {
  const { socket, agent } = await openFully();
  socket.write(encodeFrame(Frame.PING, 0));
  await until(
    () => framesIn(agent.received()).some((frame) => frame[4] === Frame.PONG),
    () => 'no PONG',
  );
});

test.each<[reason: string, bytes: Buffer]>([
  ['a second HELLO', hello[0]?.bytes ?? Buffer.alloc(0)],
  ['an unknown frame of the link', encodeFrame(0x7f, 0)],
  ['a length that cannot be', Buffer.from('ffffffff0000000000000000', 'hex')],
  ['DATA before RESPONSE', encodeFrame(Frame.DATA, 1, 'x')],
  ['a REPORT without its fields', encodeFrame(Frame.REPORT, 1, '{}')],
  ['a RESPONSE that is no JSON', encodeFrame(Frame.RESPONSE, 1, Buffer.from('\0\0\0\x01{'))],
])('%s ends the link', async (_reason, bytes) => {
  const { connection, socket, events, invokeSink } = await openFully();
  connection.invoke('{}', Buffer.alloc(0), invokeSink(1));
  socket.write(bytes);
  await until(
    () => events.length === 3,
    () => `${events}`,
  );
  expect(events.slice(1)).toEqual(['1 lost BadFrame', 'closed BadFrame']);
});

test('frames of streams that are over, or never were, are skipped', async () => {
  const { socket, events, connection, agent } = await openFully();
  socket.write(encodeFrame(Frame.RESPONSE, 99, 'late'));
  socket.write(encodeFrame(Frame.PING, 0));
  await until(
    () => framesIn(agent.received()).some((frame) => frame[4] === Frame.PONG),
    () => 'no PONG',
  );
  expect(connection.isOpen).toBe(true);
  expect(events).toEqual(['opened Warm']);
});

test('an answer that never ends is cut off', async () => {
  const { connection, socket, events, invokeSink } = await openFully();
  connection.invoke('{}', Buffer.alloc(0), invokeSink(1));
  const head = Buffer.from('\0\0\0\x13{"kind":"response"}');
  socket.write(encodeFrame(Frame.RESPONSE, 1, head, 0));
  for (let n = 0; n < 33; n += 1) socket.write(encodeFrame(Frame.DATA, 1, Buffer.alloc(262_144), 0));
  await until(
    () => events.length === 3,
    () => `${events}`,
  );
  expect(events.slice(1)).toEqual(['1 lost PayloadTooLarge', 'closed PayloadTooLarge']);
});
