import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { encodeFrame, FrameDecoder, splitHead } from './codec.ts';
import { Connection } from './connection.ts';
import { Frame } from './generated/frames.ts';
import type { LinkError } from './link-error.ts';
import type { PodState } from './messages.ts';
import { type RecordedFrame, readExchange, readKeys, startScriptedAgent } from './testing.ts';

const known = readKeys();
const identity = {
  gatewayId: known.gatewayId,
  epoch: known.epoch,
  signingKey: createPrivateKey({ key: Buffer.from(known.privateKey, 'base64'), format: 'der', type: 'pkcs8' }),
};
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

/** Resolves once `holds`; polls, at most 5 s. */
async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A connection to a scripted agent, and everything that it says, as texts. */
async function open(podUid = known.podUid, as = identity) {
  const agent = await startScriptedAgent();
  undo.push(agent.close);
  const events: string[] = [];
  const connection = new Connection({ host: '127.0.0.1', port: agent.port, podUid }, as, {
    opened: (welcome) => events.push(`opened ${welcome.state}`),
    stateChanged: (state) => events.push(`state ${stateText(state)}`),
    closed: (error) => events.push(`closed ${error.code}`),
  });
  undo.push(async () => connection.close());
  const note = (stream: number, what: string) => (error: LinkError) => events.push(`${stream} ${what} ${error.code}`);
  const claimSink = (stream: number) => ({
    onSpecialized: (alreadyClaimed: boolean) => events.push(`${stream} specialized ${alreadyClaimed}`),
    onRefused: note(stream, 'refused'),
    onLost: note(stream, 'lost'),
  });
  const invokeSink = (stream: number) => ({
    onResponse: (head: { kind: string }, payload: Buffer) =>
      events.push(`${stream} ${head.kind} ${createHash('sha256').update(payload).digest('hex')}`),
    onReport: (report: { status: string; reusable?: boolean }) =>
      events.push(`${stream} report ${report.status} ${report.reusable}`),
    onRefused: note(stream, 'refused'),
    onLost: note(stream, 'lost'),
  });
  const adoptSink = (stream: number) => ({
    onAdopted: (busy: readonly string[]) => events.push(`${stream} adopted ${busy}`),
    onFenced: (state: PodState) => events.push(`${stream} fenced ${stateText(state)}`),
    onRefused: note(stream, 'refused'),
    onLost: note(stream, 'lost'),
  });
  return { agent, connection, events, claimSink, invokeSink, adoptSink };
}

function stateText({ claim, holder, busy }: PodState): string {
  return `${claim?.versionUid} ${holder?.gatewayId} ${holder?.epoch} ${busy}`;
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Does on the gateway's side what the recorded frame shows. `whole` is its message with all DATA put together. */
function act(opened: Opened, frame: RecordedFrame, whole: Buffer): void {
  const { connection } = opened;
  if (frame.type === 'PING') {
    connection.beat();
    connection.beat();
  } else if (frame.type === 'DRAIN') connection.drain((frame.json as { reason: string }).reason);
  else if (frame.type === 'ADOPT') {
    const { versionUid, epoch } = frame.json as { versionUid: string; epoch: number };
    connection.adopt(versionUid, epoch, opened.adoptSink(frame.stream));
  } else if (frame.type === 'FENCE') {
    const { function: key, epoch } = frame.json as { function: string; epoch: number };
    connection.fence(key, epoch, opened.adoptSink(frame.stream));
  } else if (frame.type === 'SPECIALIZE' || frame.type === 'INVOKE') {
    const body = frame.bytes.subarray(12);
    const head = body.toString('utf8', 4, 4 + body.readUInt32BE(0));
    if (frame.type === 'SPECIALIZE') connection.claim(head, whole, opened.claimSink(frame.stream));
    else connection.invoke(head, whole, opened.invokeSink(frame.stream));
  }
}

function payloadOf(frame: RecordedFrame): Buffer {
  return frame.type === 'DATA' ? frame.bytes.subarray(12) : splitHead(frame.bytes.subarray(12)).bytes;
}

/** Puts a message's first piece and its DATA together. */
function wholeOf(frames: readonly RecordedFrame[], at: number): Buffer {
  const first = frames[at];
  if (first === undefined || !['SPECIALIZE', 'INVOKE', 'RESPONSE'].includes(first.type)) return Buffer.alloc(0);
  const more = frames
    .slice(at + 1)
    .filter((frame) => frame.type === 'DATA' && frame.stream === first.stream && frame.from === first.from);
  return Buffer.concat([payloadOf(first), ...more.map(payloadOf)]);
}

/** Plays a whole recorded exchange. */
async function replay(frames: readonly RecordedFrame[], opened: Opened): Promise<void> {
  const socket = await opened.agent.connection();
  let expected = 0;
  for (const [at, frame] of frames.entries()) {
    if (frame.from === 'agent') {
      socket.write(frame.bytes);
      continue;
    }
    const isOpening = frame.type === 'AUTH' || frame.type === 'DATA';
    if (!isOpening)
      await until(
        () => opened.connection.isOpen,
        () => `not open: ${opened.events}`,
      );
    const answered = frames
      .slice(0, at)
      .filter(
        (each) =>
          each.from === 'agent' && ['REPORT', 'SPECIALIZED', 'ADOPTED', 'FENCED', 'STATE', 'ERROR'].includes(each.type),
      );
    if (!isOpening)
      await until(
        () => opened.events.length >= 1 + answered.length,
        () => `${opened.events}`,
      );
    act(opened, frame, wholeOf(frames, at));
    expected += frame.bytes.length;
    await until(
      () => opened.agent.received().length >= expected || frame.type !== 'AUTH',
      () => 'no AUTH',
    );
  }
  await until(
    () => opened.agent.received().length >= expected,
    () => `got ${opened.agent.received().length} of ${expected} bytes: ${opened.events}`,
  );
}

/** What the agent's frames of an exchange must have come out as. */
function expectedEvents(frames: readonly RecordedFrame[]): string[] {
  return frames.flatMap((frame, at) => {
    const json = (frame.json ?? {}) as Record<string, unknown>;
    const digest = () => createHash('sha256').update(wholeOf(frames, at)).digest('hex');
    const texts: Record<string, () => string> = {
      WELCOME: () => `opened ${json['state']}`,
      SPECIALIZED: () => `${frame.stream} specialized ${json['alreadyClaimed'] === true}`,
      ADOPTED: () => `${frame.stream} adopted ${json['busy']}`,
      FENCED: () => `${frame.stream} fenced ${stateText(frame.json as PodState)}`,
      STATE: () => `state ${stateText(frame.json as PodState)}`,
      ERROR: () => `${frame.stream} refused ${json['code']}`,
      REPORT: () => `${frame.stream} report ${json['status']} ${json['reusable']}`,
      RESPONSE: () => `${frame.stream} ${json['kind']} ${digest()}`,
    };
    return (frame.from === 'agent' && texts[frame.type]?.()) || [];
  });
}

function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  const decoder = new FrameDecoder((type, flags, stream, body) => frames.push(encodeFrame(type, stream, body, flags)));
  decoder.push(bytes);
  return frames;
}

describe('recorded exchanges', () => {
  const ofBoth = [
    'handshake-ok',
    'stale-epoch',
    'specialize-invoke',
    'error-response',
    'chunked-payload',
    'busy',
    'drain',
  ];
  test.each([...ofBoth, ...ofBoth.map((name) => `protocol-1-${name}`), 'adopt', 'fence', 'state'])(
    '%s: the same frames go out, the same things come in',
    async (name) => {
      const frames = readExchange(name);
      const opened = await open();
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
    const opened = await open('another-pod');
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
    const opened = await open(known.podUid, { ...identity, signingKey: generateKeyPairSync('ed25519').privateKey });
    const socket = await opened.agent.connection();
    for (const frame of readExchange('bad-signature')) if (frame.from === 'agent') socket.write(frame.bytes);
    await until(
      () => opened.events.length === 1,
      () => 'still open',
    );
    expect(opened.events).toEqual(['closed BadSignature']);
  });
});

describe('failures', () => {
  const hello = readExchange('handshake-ok').filter(
    (frame) => frame.from === 'agent' && ['HELLO', 'WELCOME'].includes(frame.type),
  );
  const openFully = async () => {
    const opened = await open();
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
});
