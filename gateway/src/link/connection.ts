import { createConnection, type Socket } from 'node:net';
import { encodeFrame, FrameDecoder, parseJson, splitHead, writeMessage } from './codec.ts';
import { Frame } from './generated/frames.ts';
import { answerHello, type Identity } from './handshake.ts';
import { Heartbeat, type Pulse } from './heartbeat.ts';
import { LinkError } from './link-error.ts';
import {
  type LogLines,
  type PodState,
  parseError,
  parseHello,
  parseLogHead,
  parseState,
  parseWelcome,
  type Welcome,
} from './messages.ts';
import { OpenStreams } from './open-streams.ts';
import type { AdoptSink, ClaimSink, FenceSink, InvokeSink } from './streams.ts';

/*
 * The life of one connection. What is not listed closes it with BadFrame.
 *
 *   state       | HELLO          | WELCOME      | ERROR stream 0 | stream frames | socket ends | close()
 *   Greeting    | send AUTH, ->  | -            | -> Closed      | -             | -> Closed   | -> Closed
 *               | Authenticating |              |                |               |             |
 *   Authenticat.| -              | -> Open      | -> Closed      | -             | -> Closed   | -> Closed
 *   Open        | -              | -            | -> Closed      | to the stream | -> Closed   | -> Closed
 *               | STATE, LOG: the owner hears of it
 *   Closed      | ignored, like everything else
 *
 * ERROR Draining on stream 0 is the last word of an agent that has nothing left to answer: what is open did not run.
 *
 * Entering Closed ends every open stream with `onLost` (after that word: `onRefused`), exactly once, then tells the owner, exactly once.
 *
 * What a stream may conclude:
 *   - `onRefused` (an ERROR frame): the agent did not run it; another pod may be tried.
 *   - `onLost`: the frames were written, so the agent may have run it; it must not be tried again elsewhere.
 *   - `claim`/`invoke`/`adopt`/`fence` returned false: nothing was written; another pod may be tried.
 */
type State = 'Greeting' | 'Authenticating' | 'Open' | 'Closed';

/** Whom the connection tells of its own life. */
export interface ConnectionOwner {
  opened(welcome: Welcome): void;
  /** STATE: what the pod is has changed by another gateway's doing. Protocol 2. */
  stateChanged(state: PodState): void;
  /** LOG: comes only when the identity's features say `logs`. `lines.entries` is borrowed. */
  logged?(lines: LogLines): void;
  /** The last word, also when it never opened. */
  closed(error: LinkError): void;
}

/** Where a pod is, and who asks. */
export interface Address {
  readonly host: string;
  /** 9100 unless a test says otherwise. */
  readonly port: number;
  readonly podUid: string;
}

/** ADOPT, FENCE, STATE exist from this version on. */
const HOLDER_PROTOCOL = 2;
/**
 * One read buffer for all connections: the kernel fills it and the decoder empties it before the next read starts.
 * Saves an allocation and the stream machinery per read.
 */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** What dispatch needs of a connection. */
export type PodConnection = Pick<
  Connection,
  | 'isOpen'
  | 'hasHolders'
  | 'knowsLayers'
  | 'takesSeveral'
  | 'claim'
  | 'invoke'
  | 'claimAndInvoke'
  | 'adopt'
  | 'fence'
  | 'drain'
  | 'beat'
  | 'close'
>;

/** One TCP connection to the agent of one pod. Starts to connect when constructed; never reconnects. */
export class Connection {
  readonly #address: Address;
  readonly #identity: Identity;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  /** Empty unless Open. */
  readonly #streams = new OpenStreams((frame) => {
    if (this.#state === 'Open') this.#socket.write(frame);
  });
  readonly #heartbeat = new Heartbeat();
  #state: State = 'Greeting';
  /** The version that both speak; 0 while Greeting. */
  #protocol = 0;
  /** Of HELLO; none while Greeting. */
  #features: readonly string[] = [];

  constructor(address: Address, identity: Identity, owner: ConnectionOwner) {
    this.#address = address;
    this.#identity = identity;
    this.#owner = owner;
    this.#decoder = new FrameDecoder((type, flags, stream, body) => this.#onFrame(type, flags, stream, body));
    this.#socket = createConnection({
      host: address.host,
      port: address.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (bytes) => this.#onRead(bytes) },
    });
    this.#socket.on('error', (cause) => this.#end(new LinkError('Lost', `link to ${address.podUid} broke`, { cause })));
    this.#socket.on('close', () => this.#end(new LinkError('Lost', `link to ${address.podUid} was closed`)));
  }

  /** Whether frames may be sent. */
  get isOpen(): boolean {
    return this.#state === 'Open';
  }

  /** The agent knows holders: protocol 2. */
  get hasHolders(): boolean {
    return this.#protocol >= HOLDER_PROTOCOL;
  }

  /** The agent takes layers with SPECIALIZE. */
  get knowsLayers(): boolean {
    return this.#features.includes('layers');
  }

  /** The agent takes several invocations at once, where SPECIALIZE says so. */
  get takesSeveral(): boolean {
    return this.#features.includes('several');
  }

  /**
   * Claims the pod: `head` is the JSON text of SPECIALIZE, `code` the zip, `layers` those that the head names, in its order. False =
   * nothing was written.
   */
  claim(head: string, code: Buffer, sink: ClaimSink, layers: readonly Buffer[] = []): boolean {
    if (this.#state !== 'Open') return false;
    const stream = this.#streams.open({ kind: 'claim', sink });
    const [first, ...others] = layers;
    const more = first === undefined ? undefined : ([first, ...others] as const);
    writeMessage(this.#socket, { type: Frame.SPECIALIZE, stream, head, bytes: code, more });
    return true;
  }

  /** Runs one invocation: `head` is the JSON text of INVOKE. False = nothing was written. */
  invoke(head: string, event: Buffer, sink: InvokeSink): boolean {
    if (this.#state !== 'Open') return false;
    const stream = this.#streams.open({ kind: 'invoke', sink, answer: null });
    writeMessage(this.#socket, { type: Frame.INVOKE, stream, head, bytes: event });
    return true;
  }

  /** Both of the above in one write, so that the agent starts the invocation right after the init. */
  claimAndInvoke(claim: Parameters<Connection['claim']>, invoke: Parameters<Connection['invoke']>): boolean {
    this.#socket.cork();
    const isSent = this.claim(...claim) && this.invoke(...invoke);
    this.#socket.uncork();
    return isSent;
  }

  /** Asks to become the holder of a pod that holds `versionUid`. False = nothing was written, also with protocol 1. */
  adopt(versionUid: string, epoch: number, sink: AdoptSink): boolean {
    if (this.#state !== 'Open' || !this.hasHolders) return false;
    const stream = this.#streams.open({ kind: 'adopt', sink });
    this.#socket.write(encodeFrame(Frame.ADOPT, stream, JSON.stringify({ versionUid, epoch })));
    return true;
  }

  /** Shuts out older claims of a function (namespace/name). False = nothing was written, also with protocol 1. */
  fence(functionKey: string, epoch: number, sink: FenceSink): boolean {
    if (this.#state !== 'Open' || !this.hasHolders) return false;
    const stream = this.#streams.open({ kind: 'fence', sink });
    this.#socket.write(encodeFrame(Frame.FENCE, stream, JSON.stringify({ function: functionKey, epoch })));
    return true;
  }

  /** Tells the agent to take no new work and to end when it has none. */
  drain(reason: string): void {
    if (this.#state === 'Open') this.#socket.write(encodeFrame(Frame.DRAIN, 0, JSON.stringify({ reason })));
  }

  /** Lets go of the pod; open streams are lost. */
  close(error = new LinkError('Closed', `link to ${this.#address.podUid} was let go`)): void {
    this.#end(error);
  }

  /** @see Heartbeat.beat. An unwell link is not closed here: whose trouble it is, only one who sees all links can say. */
  beat(): Pulse {
    if (this.#state !== 'Open') return 'well';
    return this.#heartbeat.beat(() => this.#socket.write(encodeFrame(Frame.PING, 0)));
  }

  /** Returns whether to go on reading. */
  #onRead(bytes: number): boolean {
    this.#heartbeat.heard();
    try {
      this.#decoder.push(readBuffer.subarray(0, bytes));
    } catch (error) {
      this.#end(
        error instanceof LinkError ? error : new LinkError('Internal', 'frame handling failed', { cause: error }),
      );
    }
    return this.#state !== 'Closed';
  }

  #onFrame(type: number, flags: number, stream: number, body: Buffer): void {
    if (this.#state === 'Closed') return;
    if (stream === 0) this.#onLinkFrame(type, body);
    else this.#streams.onFrame(type, flags, stream, body);
  }

  #onLinkFrame(type: number, body: Buffer): void {
    if (type === Frame.PING) this.#socket.write(encodeFrame(Frame.PONG, 0));
    else if (type === Frame.ERROR) {
      const error = parseError(parseJson(body));
      this.#end(error, error.code === 'Draining');
    } else if (type === Frame.STATE && this.#state === 'Open') {
      this.#owner.stateChanged(parseState(parseJson(body)));
    } else if (type === Frame.LOG && this.#state === 'Open') {
      const { head, bytes } = splitHead(body);
      this.#owner.logged?.({ ...parseLogHead(head), entries: bytes });
    } else if (type === Frame.HELLO && this.#state === 'Greeting') {
      const hello = parseHello(parseJson(body));
      const { protocol, auth } = answerHello(hello, this.#address.podUid, this.#identity);
      this.#protocol = protocol;
      this.#features = hello.features;
      this.#state = 'Authenticating';
      this.#socket.write(encodeFrame(Frame.AUTH, 0, auth));
    } else if (type === Frame.WELCOME && this.#state === 'Authenticating') {
      const welcome = parseWelcome(parseJson(body));
      this.#state = 'Open';
      this.#owner.opened(welcome);
    } else if (type !== Frame.PONG) throw new LinkError('BadFrame', `frame ${type} while ${this.#state}`);
  }

  #end(error: LinkError, isRefused = false): void {
    if (this.#state === 'Closed') return;
    this.#state = 'Closed';
    this.#socket.destroy();
    this.#streams.end(error, isRefused);
    this.#owner.closed(error);
  }
}
