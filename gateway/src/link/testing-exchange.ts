import { createHash, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { until } from '../testing.ts';
import { splitHead } from './codec.ts';
import type { Identity } from './handshake.ts';
import type { PodState } from './messages.ts';
import { type Opened, stateText } from './testing.ts';

const folder = new URL('../../../runtime-images/testdata/', import.meta.url);

/** One frame of a recorded exchange. @see runtime-images/testdata/README.md */
export interface RecordedFrame {
  readonly from: 'agent' | 'gateway';
  /** The whole frame as it was on the wire. */
  readonly bytes: Buffer;
  readonly type: string;
  readonly stream: number;
  /** The body, or the head. */
  readonly json: unknown;
  readonly bytesSha256: string | undefined;
}

interface RecordedJson {
  readonly from: 'agent' | 'gateway';
  readonly frame?: string;
  readonly frameGzip?: string;
  readonly decoded: {
    readonly type: string;
    readonly stream: number;
    readonly json?: unknown;
    readonly bytesSha256?: string;
  };
}

/** All frames of one exchange, in order. */
export function readExchange(name: string): RecordedFrame[] {
  const records = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as readonly RecordedJson[];
  return records.map(({ from, frame, frameGzip, decoded }) => ({
    from,
    bytes: frame === undefined ? gunzipSync(Buffer.from(frameGzip ?? '', 'base64')) : Buffer.from(frame, 'base64'),
    type: decoded.type,
    stream: decoded.stream,
    json: decoded.json,
    bytesSha256: decoded.bytesSha256,
  }));
}

const known = JSON.parse(readFileSync(new URL('keys.json', folder), 'utf8')) as {
  readonly podUid: string;
  readonly gatewayId: string;
  readonly epoch: number;
  readonly privateKey: string;
};

/** The pod of the recordings. */
export const recordedUid = known.podUid;

/** The gateway of the recordings. */
export const recordedIdentity: Identity = {
  gatewayId: known.gatewayId,
  epoch: known.epoch,
  signingKey: createPrivateKey({ key: Buffer.from(known.privateKey, 'base64'), format: 'der', type: 'pkcs8' }),
};

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
  } else if (frame.type === 'CREDIT') {
    opened.flows.get(frame.stream)?.credit((frame.json as { bytes: number }).bytes);
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
export async function replay(frames: readonly RecordedFrame[], opened: Opened): Promise<void> {
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
    if (frame.type === 'CREDIT') {
      const before = frames.slice(0, at).filter(({ type, stream }) => type === 'DATA' && stream === frame.stream);
      const bytes = Buffer.concat(before.map(payloadOf)).length;
      await until(
        () => opened.flows.get(frame.stream)?.bytes === bytes,
        () => `not ${bytes} bytes: ${opened.events}`,
      );
    }
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
export function expectedEvents(frames: readonly RecordedFrame[]): string[] {
  return frames.flatMap((frame, at) => {
    const json = (frame.json ?? {}) as Record<string, unknown>;
    const digest = () => createHash('sha256').update(wholeOf(frames, at)).digest('hex');
    const isStreamed = frame.type === 'RESPONSE' && json['streamed'] === true;
    if (isStreamed) {
      const isWhole = frames.some(({ type, bytes }) => type === 'DATA' && (bytes.at(5) ?? 0) === 1);
      const begin = `${frame.stream} streamed ${json['contentType']}`;
      return isWhole ? [begin, `${frame.stream} end ${digest()}`] : [begin];
    }
    const texts: Record<string, () => string> = {
      ABORTED: () => `${frame.stream} aborted ${json['errorType']} ${payloadOf(frame)}`,
      WELCOME: () => `opened ${json['state']}`,
      SPECIALIZED: () => `${frame.stream} specialized ${json['alreadyClaimed'] === true}`,
      ADOPTED: () => `${frame.stream} adopted ${json['busy']}`,
      FENCED: () => `${frame.stream} fenced ${stateText(frame.json as PodState)}`,
      STATE: () => `state ${stateText(frame.json as PodState)}`,
      ERROR: () => (frame.stream === 0 ? `closed ${json['code']}` : `${frame.stream} refused ${json['code']}`),
      REPORT: () => `${frame.stream} report ${json['status']} ${json['reusable']}`,
      RESPONSE: () => `${frame.stream} ${json['kind']} ${digest()}`,
    };
    return (frame.from === 'agent' && texts[frame.type]?.()) || [];
  });
}
