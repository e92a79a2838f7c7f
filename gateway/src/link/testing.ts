import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { encodeFrame, FrameDecoder } from './codec.ts';
import { Connection } from './connection.ts';
import type { Identity } from './handshake.ts';
import type { Credit } from './inflow.ts';
import type { LinkError } from './link-error.ts';
import type { PodState } from './messages.ts';

/** A TCP server that plays an agent byte by byte. */
export interface ScriptedAgent {
  readonly port: number;
  /** The newest connection. */
  connection(): Promise<Socket>;
  /** All that the gateway has sent. */
  received(): Buffer;
  close(): Promise<void>;
}

/** Listens on a port of the system's choice. @param onConnection may speak first */
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

const undo: (() => Promise<void>)[] = [];

/** Ends all that `open` has begun; for afterEach. */
export async function closeAll(): Promise<void> {
  for (const step of undo.splice(0)) await step();
}

/** A connection to a scripted agent, and everything that it says, as texts. `closeAll` closes both. */
export async function open(podUid: string, as: Identity) {
  const agent = await startScriptedAgent();
  undo.push(agent.close);
  const events: string[] = [];
  const connection = new Connection({ host: '127.0.0.1', port: agent.port, podUid }, as, {
    opened: (welcome) => events.push(`opened ${welcome.state}`),
    stateChanged: (state) => events.push(`state ${stateText(state)}`),
    logged: ({ stream, first, entries }) => events.push(`log ${stream} ${first} ${entries}`),
    closed: (error) => events.push(`closed ${error.code}`),
  });
  undo.push(async () => connection.close());
  const note = (stream: number, what: string) => (error: LinkError) => events.push(`${stream} ${what} ${error.code}`);
  const claimSink = (stream: number) => ({
    onSpecialized: (alreadyClaimed: boolean) => events.push(`${stream} specialized ${alreadyClaimed}`),
    onRefused: note(stream, 'refused'),
    onLost: note(stream, 'lost'),
  });
  const flows = new Map<number, Flow>();
  const invokeSink = (stream: number) => ({
    onStream: (head: { kind: string; contentType?: string }, credit: Credit) => {
      const flow: Flow = { credit, bytes: 0 };
      flows.set(stream, flow);
      const digest = createHash('sha256');
      events.push(`${stream} streamed ${head.contentType}`);
      return {
        onPiece: (piece: Buffer) => {
          digest.update(piece);
          flow.bytes += piece.length;
        },
        onEnd: () => events.push(`${stream} end ${digest.digest('hex')}`),
      };
    },
    onAborted: (errorType: string | undefined, payload: Buffer) =>
      events.push(`${stream} aborted ${errorType} ${payload}`),
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
  return { agent, connection, events, flows, claimSink, invokeSink, adoptSink };
}

/** A streamed answer: what allows more of it, and what has come. */
export interface Flow {
  readonly credit: Credit;
  bytes: number;
}

/** A state in one line. */
export function stateText({ claim, holder, busy }: PodState): string {
  return `${claim?.versionUid} ${holder?.gatewayId} ${holder?.epoch} ${busy}`;
}

/** A connection, its agent, what it has said, and sinks that write down what they hear. */
export type Opened = Awaited<ReturnType<typeof open>>;

/** The frames in what was sent, each whole. */
export function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  const decoder = new FrameDecoder((type, flags, stream, body) => frames.push(encodeFrame(type, stream, body, flags)));
  decoder.push(bytes);
  return frames;
}
