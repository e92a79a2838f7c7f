import { generateKeyPairSync } from 'node:crypto';

import { afterEach, expect, test } from '@jest/globals';

import { until } from '../testing.ts';
import { closeAll, framesIn, open } from './testing.ts';
import { expectedEvents, readExchange, recordedIdentity, recordedUid, replay } from './testing-exchange.ts';

afterEach(closeAll);

const ofBoth = [
  'handshake-ok',
  'stale-epoch',
  'specialize-invoke',
  'error-response',
  'chunked-payload',
  'busy',
  'drain',
];
const streamed = ['streamed', 'streamed-aborted', 'streamed-whole'];
test.each([...ofBoth, ...ofBoth.map((name) => `protocol-1-${name}`), 'adopt', 'fence', 'state', 'layers', ...streamed])(
  '%s: the same frames go out, the same things come in',
  async (name) => {
    const frames = readExchange(name);
    const opened = await open(recordedUid, recordedIdentity);
    await replay(frames, opened);
    const expected = expectedEvents(frames);
    await until(
      () => opened.events.length >= expected.length,
      () => `${opened.events}`,
    );
    expect([...opened.events].sort()).toEqual([...expected].sort());
    const sent = frames.filter((frame) => frame.from === 'gateway').map((frame) => frame.bytes);
    expect(framesIn(opened.agent.received()).map((bytes) => bytes.toString('latin1'))).toEqual(
      sent.map((bytes) => bytes.toString('latin1')),
    );
  },
);

test('wrong-pod: a pod that says another uid gets no signature at all', async () => {
  const [hello] = readExchange('wrong-pod');
  const opened = await open('another-pod', recordedIdentity);
  const socket = await opened.agent.connection();
  socket.write(hello?.bytes ?? '');
  await until(
    () => opened.events.length === 1,
    () => 'still open',
  );
  expect(opened.events).toEqual(['closed WrongPod']);
  expect(opened.agent.received()).toHaveLength(0);
});

test('bad-signature: the refusal closes the link with its code', async () => {
  const opened = await open(recordedUid, {
    ...recordedIdentity,
    signingKey: generateKeyPairSync('ed25519').privateKey,
  });
  const socket = await opened.agent.connection();
  for (const frame of readExchange('bad-signature')) if (frame.from === 'agent') socket.write(frame.bytes);
  await until(
    () => opened.events.length === 1,
    () => 'still open',
  );
  expect(opened.events).toEqual(['closed BadSignature']);
});
