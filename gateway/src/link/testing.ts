import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

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

/** What both sides of the recorded exchanges knew. */
export function readKeys(): { podUid: string; gatewayId: string; epoch: number; privateKey: string } {
  return JSON.parse(readFileSync(new URL('keys.json', folder), 'utf8')) as ReturnType<typeof readKeys>;
}

/** A TCP server that plays an agent byte by byte. */
export interface ScriptedAgent {
  readonly port: number;
  /** The newest connection. */
  connection(): Promise<Socket>;
  /** All that the gateway has sent. */
  received(): Buffer;
  close(): Promise<void>;
}

export async function startScriptedAgent(onConnection: (socket: Socket) => void = () => {}): Promise<ScriptedAgent> {
  const received: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connection: async () => {
      if (sockets.length === 0) await once(server, 'connection');
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error('no connection');
      return socket;
    },
    received: () => Buffer.concat(received),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
