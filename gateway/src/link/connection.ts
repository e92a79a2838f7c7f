import { createConnection, type Socket } from 'node:net';
import { encodeFrame, FrameDecoder, parseJson, splitHead, writeMessage } from './codec.ts';
import { Flag, Frame } from './generated/frames.ts';
import { answerHello, type Identity } from './handshake.ts';
import { LinkError } from './link-error.ts';
import {
  parseError,
  parseHello,
  parseReport,
  parseResponseHead,
  parseSpecialized,
  parseWelcome,
  type ReportBody,
  type ResponseHead,
  type Welcome,
} from './messages.ts';

/*
 * The life of one connection. What is not listed closes it with BadFrame.
 *
 *   state       | HELLO          | WELCOME      | ERROR stream 0 | stream frames | socket ends | close()
 *   Greeting    | send AUTH, ->  | -            | -> Closed      | -             | -> Closed   | -> Closed
 *               | Authenticating |              |                |               |             |
 *   Authenticat.| -              | -> Open      | -> Closed      | -             | -> Closed   | -> Closed
 *   Open        | -              | -            | -> Closed      | to the stream | -> Closed   | -> Closed
 *   Closed      | ignored, like everything else
 *
 * Entering Closed ends every open stream with `onLost`, exactly once, then tells the owner, exactly once.
 *
 * What a stream may conclude:
 *   - `onRefused` (an ERROR frame): the agent did not run it; another pod may be tried.
 *   - `onLost`: the frames were written, so the agent may have run it; it must not be tried again elsewhere.
 *   - `claim`/`invoke` returned false: nothing was written; another pod may be tried.
 */
type State = 'Greeting' | 'Authenticating' | 'Open' | 'Closed';

/** Takes what the agent says about one SPECIALIZE. */
export interface ClaimSink {
  onSpecialized(alreadyClaimed: boolean): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** Takes what the agent says about one INVOKE. */
export interface InvokeSink {
  /** `payload` belongs to the receiver. */
  onResponse(head: ResponseHead, payload: Buffer): void;
  /** Ends the stream. */
  onReport(report: ReportBody): void;
  onRefused(error: LinkError): void;
  onLost(error: LinkError): void;
}

/** Whom the connection tells of its own life. */
export interface ConnectionOwner {
  opened(welcome: Welcome): void;
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

type Stream =
  | { readonly kind: 'claim'; readonly sink: ClaimSink }
  | { readonly kind: 'invoke'; readonly sink: InvokeSink; answer: PartialAnswer | null };

/** A response whose DATA frames are not all in. */
interface PartialAnswer {
  readonly head: ResponseHead;
  readonly pieces: Buffer[];
  bytes: number;
}

/** An agent never sends more (6 MiB plus its JSON error bodies); memory stays bounded if one does. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** PINGs without any answer after which the pod is lost. */
const MAX_MISSED = 2;
/**
 * One read buffer for all connections: the kernel fills it and the decoder empties it before the next read starts.
 * Saves an allocation and the stream machinery per read.
 */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** One TCP connection to the agent of one pod. Starts to connect when constructed; never reconnects. */
export class Connection {
  readonly #address: Address;
  readonly #identity: Identity;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  /** Streams that still expect something, by number. Empty unless Open. */
  readonly #streams = new Map<number, Stream>();
  #state: State = 'Greeting';
  /** Number of the newest stream; rises, never reused on this connection. */
  #lastStream = 0;
  /** Bytes came in since the last tick. */
  #hasHeard = true;
  /** PINGs sent since the last byte came in. */
  #missed = 0;

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

  /** Claims the pod: `head` is the JSON text of SPECIALIZE, `code` the zip. False = nothing was written. */
  claim(head: string, code: Buffer, sink: ClaimSink): boolean {
    if (this.#state !== 'Open') return false;
    const stream = this.#open({ kind: 'claim', sink });
    writeMessage(this.#socket, { type: Frame.SPECIALIZE, stream, head, bytes: code });
    return true;
  }

  /** Runs one invocation: `head` is the JSON text of INVOKE. False = nothing was written. */
  invoke(head: string, event: Buffer, sink: InvokeSink): boolean {
    if (this.#state !== 'Open') return false;
    const stream = this.#open({ kind: 'invoke', sink, answer: null });
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

  /** Tells the agent to take no new work and to end when it has none. */
  drain(reason: string): void {
    if (this.#state === 'Open') this.#socket.write(encodeFrame(Frame.DRAIN, 0, JSON.stringify({ reason })));
  }

  /** Lets go of the pod; open streams are lost. */
  close(error = new LinkError('Closed', `link to ${this.#address.podUid} was let go`)): void {
    this.#end(error);
  }

  /**
   * Heartbeat, to be called every 5 s: a link that was silent since the last tick gets a PING; one that answered none
   * of two is lost, so a half-open link is found after 10..20 s. Counts ticks, not time: a gateway that was paused
   * itself does not take its pods for dead.
   */
  tick(): void {
    if (this.#state !== 'Open') return;
    if (this.#hasHeard) {
      this.#hasHeard = false;
      this.#missed = 0;
      return;
    }
    if (this.#missed >= MAX_MISSED) {
      this.#end(new LinkError('Lost', `pod ${this.#address.podUid} answered no PING`));
      return;
    }
    this.#missed += 1;
    this.#socket.write(encodeFrame(Frame.PING, 0));
  }

  #open(stream: Stream): number {
    this.#lastStream += 1;
    this.#streams.set(this.#lastStream, stream);
    return this.#lastStream;
  }

  /** Returns whether to go on reading. */
  #onRead(bytes: number): boolean {
    this.#hasHeard = true;
    try {
      this.#decoder.push(readBuffer.subarray(0, bytes));
    } catch (error) {
      this.#end(
        error instanceof LinkError ? error : new LinkError('Internal', 'frame handling failed', { cause: error }),
      );
    }
    return this.#state !== 'Closed';
  }

  /** A stream is only forgotten once its last frame is understood: one that is not ends the link, and so the stream. */
  #onFrame(type: number, flags: number, number: number, body: Buffer): void {
    if (this.#state === 'Closed') return;
    if (number === 0) {
      this.#onLinkFrame(type, body);
      return;
    }
    const stream = this.#streams.get(number);
    if (stream === undefined) return;
    if (type === Frame.ERROR) {
      const { code, message } = parseError(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onRefused(new LinkError(code, message));
    } else if (stream.kind === 'invoke') this.#onInvokeFrame(stream, number, type, flags, body);
    else if (type === Frame.SPECIALIZED) {
      const { alreadyClaimed } = parseSpecialized(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onSpecialized(alreadyClaimed);
    }
  }

  #onInvokeFrame(stream: Stream & { kind: 'invoke' }, number: number, type: number, flags: number, body: Buffer): void {
    const isLast = (flags & Flag.END) !== 0;
    if (type === Frame.RESPONSE) {
      const { head, bytes } = splitHead(body);
      const responseHead = parseResponseHead(head);
      const payload = Buffer.from(bytes);
      if (isLast) stream.sink.onResponse(responseHead, payload);
      else stream.answer = { head: responseHead, pieces: [payload], bytes: payload.length };
    } else if (type === Frame.DATA) {
      this.#onAnswerPiece(stream, body, isLast);
    } else if (type === Frame.REPORT) {
      const report = parseReport(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onReport(report);
    }
  }

  #onAnswerPiece(stream: Stream & { kind: 'invoke' }, body: Buffer, isLast: boolean): void {
    const answer = stream.answer;
    if (answer === null) throw new LinkError('BadFrame', 'DATA before RESPONSE');
    answer.pieces.push(Buffer.from(body));
    answer.bytes += body.length;
    if (answer.bytes > MAX_ANSWER_BYTES)
      throw new LinkError('PayloadTooLarge', `answer above ${MAX_ANSWER_BYTES} bytes`);
    if (!isLast) return;
    stream.answer = null;
    stream.sink.onResponse(answer.head, Buffer.concat(answer.pieces, answer.bytes));
  }

  #onLinkFrame(type: number, body: Buffer): void {
    if (type === Frame.PING) this.#socket.write(encodeFrame(Frame.PONG, 0));
    else if (type === Frame.ERROR) {
      const { code, message } = parseError(parseJson(body));
      this.#end(new LinkError(code, message));
    } else if (type === Frame.HELLO && this.#state === 'Greeting') {
      const auth = answerHello(parseHello(parseJson(body)), this.#address.podUid, this.#identity);
      this.#state = 'Authenticating';
      this.#socket.write(encodeFrame(Frame.AUTH, 0, auth));
    } else if (type === Frame.WELCOME && this.#state === 'Authenticating') {
      const welcome = parseWelcome(parseJson(body));
      this.#state = 'Open';
      this.#owner.opened(welcome);
    } else if (type !== Frame.PONG) throw new LinkError('BadFrame', `frame ${type} while ${this.#state}`);
  }

  #end(error: LinkError): void {
    if (this.#state === 'Closed') return;
    this.#state = 'Closed';
    this.#socket.destroy();
    for (const stream of this.#streams.values()) stream.sink.onLost(error);
    this.#streams.clear();
    this.#owner.closed(error);
  }
}
