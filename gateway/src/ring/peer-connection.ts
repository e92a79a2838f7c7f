import { createConnection, type Socket } from 'node:net';
import type { StreamEnd } from '../dispatch/answer-stream.ts';
import type { Report } from '../dispatch/types.ts';
import type { LambdaError } from '../errors.ts';
import { encodeFrame, FrameDecoder, parseJson, splitHead, writeMessage } from '../link/codec.ts';
import { Flag, Frame } from '../link/generated/frames.ts';
import { Inflow } from '../link/inflow.ts';
import { type Credit, LinkError, type StreamSink } from '../link/link.ts';
import {
  type Elsewhere,
  type ForwardedHead,
  parseForwardedAbort,
  parseForwardedHead,
  parseForwardedReport,
  parseRefusal,
} from './forward-messages.ts';
import { parsePeerHello, parsePeerWelcome, parseRing, type RingMessage } from './messages.ts';
import { answerPeerHello, checkWelcome, makeNonce, type PeerIdentity } from './peer-handshake.ts';

/*
 * The dialler's end. What is not listed closes the connection with BadFrame.
 *
 *   state          | PEER_HELLO             | PEER_WELCOME | RING        | stream frames | socket ends, close()
 *   Greeting       | AUTH, -> Authenticating| -            | -           | -             | -> Closed
 *   Authenticating | -                      | -> Open      | -           | -             | -> Closed
 *   Open           | -                      | -            | to the owner| to the stream | -> Closed
 *   Closed         | ignored, like everything else
 *
 * What a stream may conclude: `onRefused` = as the listener says; `onLost` = the request was written and may have run;
 * `forward` returned 0 = nothing was written.
 */
type State = 'Greeting' | 'Authenticating' | 'Open' | 'Closed';

/** Takes what the other gateway says about one FORWARD. */
export interface ForwardSink {
  /** After that the sender gives it up; monotonic milliseconds. */
  readonly deadlineMs: number;
  /** Nobody waits for it any more. */
  isAbandoned(): boolean;
  onResponse(head: ForwardedHead, payload: Buffer): void;
  /** As InvokeSink.onStream. */
  onStream(head: ForwardedHead, credit: Credit): StreamSink;
  /** A streamed answer ends before its end. */
  onAborted(end: StreamEnd): void;
  /** Ends the stream. */
  onReport(report: Report | null): void;
  /** Ends the stream. */
  onRefused(error: Elsewhere | LambdaError): void;
  /** Ends the stream. */
  onLost(error: LinkError): void;
}

/** Whom the connection tells of its own life. */
export interface PeerConnectionOwner {
  opened(gatewayId: string): void;
  /** Any bytes, once open. */
  heard(gatewayId: string): void;
  ring(gatewayId: string, message: RingMessage): void;
  /** The last word, also when it never opened. */
  closed(error: LinkError): void;
}

/** A whole answer whose DATA frames are not all in. */
interface PartialAnswer {
  readonly head: ForwardedHead;
  readonly pieces: Buffer[];
  bytes: number;
}

interface Stream {
  readonly sink: ForwardSink;
  answer: PartialAnswer | Inflow | null;
  isCancelled: boolean;
}

/** Heartbeats without a byte while an answer is expected, after which the listener is asked, and then given up. */
const QUIET_TICKS = 10;
const LOST_TICKS = 20;
/** ... when it has requests: it may be slow, and what it was given may not run again elsewhere. */
const LOST_WITH_REQUESTS_TICKS = 50;
/** No gateway sends more; memory stays bounded if one does. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** One read buffer for all: the decoder empties it before the next read starts. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** One TCP connection to another gateway, dialled by this one. Starts to connect when constructed; never reconnects. */
export class PeerConnection {
  readonly #name: string;
  readonly #identity: PeerIdentity;
  readonly #owner: PeerConnectionOwner;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  readonly #nonce = makeNonce();
  /** Unanswered or unreported FORWARDs by stream number. */
  readonly #streams = new Map<number, Stream>();
  #state: State = 'Greeting';
  #lastStream = 0;
  /** Heartbeats since the last byte came in: ticks, so that an own pause condemns nobody. */
  #quietTicks = 0;
  /** A RING was sent and nothing came back yet. */
  #isAnswerDue = false;
  /** The listener's life; empty before its HELLO. */
  #peerId = '';

  constructor(address: { name: string; ip: string; port: number }, identity: PeerIdentity, owner: PeerConnectionOwner) {
    this.#name = address.name;
    this.#identity = identity;
    this.#owner = owner;
    this.#decoder = new FrameDecoder((type, flags, stream, body) => this.#onFrame(type, flags, stream, body));
    this.#socket = createConnection({
      host: address.ip,
      port: address.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (bytes) => this.#onRead(bytes) },
    });
    this.#socket.on('error', (cause) => this.#end(new LinkError('Lost', `link to ${this.#name} broke`, { cause })));
    this.#socket.on('close', () => this.#end(new LinkError('Lost', `link to ${this.#name} was closed`)));
  }

  get isOpen(): boolean {
    return this.#state === 'Open';
  }

  /** FORWARDs that still expect something. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Writes a RING. */
  say(message: RingMessage): void {
    if (this.#state !== 'Open') return;
    this.#isAnswerDue = true;
    this.#socket.write(encodeFrame(Frame.RING, 0, JSON.stringify(message)));
  }

  /** Forwards one request. False = nothing was written. */
  forward(head: string, event: Buffer, sink: ForwardSink): boolean {
    if (this.#state !== 'Open') return false;
    this.#lastStream += 1;
    this.#streams.set(this.#lastStream, { sink, answer: null, isCancelled: false });
    writeMessage(this.#socket, { type: Frame.FORWARD, stream: this.#lastStream, head, bytes: event });
    return true;
  }

  /**
   * To be called every heartbeat: gives up what is overdue, tells the listener of what nobody waits for, and finds a connection
   * that is half open although the gateway is heard on the other one.
   */
  sweep(nowMs: number): void {
    this.#checkQuiet();
    for (const [number, stream] of this.#streams) {
      if (nowMs >= stream.sink.deadlineMs) {
        this.#streams.delete(number);
        stream.sink.onLost(new LinkError('NoAnswer', `gateway ${this.#name} did not answer in time`));
      } else if (!stream.isCancelled && stream.sink.isAbandoned()) {
        stream.isCancelled = true;
        this.#socket.write(encodeFrame(Frame.CANCEL, number));
      }
    }
  }

  #checkQuiet(): void {
    if (this.#state !== 'Open' || !(this.#isAnswerDue || this.#streams.size > 0)) {
      this.#quietTicks = 0;
      return;
    }
    this.#quietTicks += 1;
    const lostTicks = this.#streams.size > 0 ? LOST_WITH_REQUESTS_TICKS : LOST_TICKS;
    if (this.#quietTicks >= lostTicks) this.#end(new LinkError('NoAnswer', `gateway ${this.#name} answered no PING`));
    else if (this.#quietTicks >= QUIET_TICKS) this.#socket.write(encodeFrame(Frame.PING, 0));
  }

  close(error = new LinkError('Closed', `link to ${this.#name} was let go`)): void {
    this.#end(error);
  }

  #onRead(bytes: number): boolean {
    this.#quietTicks = 0;
    this.#isAnswerDue = false;
    try {
      this.#decoder.push(readBuffer.subarray(0, bytes));
    } catch (error) {
      this.#end(
        error instanceof LinkError ? error : new LinkError('Internal', 'frame handling failed', { cause: error }),
      );
    }
    if (this.#state === 'Open') this.#owner.heard(this.#peerId);
    return this.#state !== 'Closed';
  }

  #onFrame(type: number, flags: number, number: number, body: Buffer): void {
    if (this.#state === 'Closed') return;
    if (number === 0) this.#onLinkFrame(type, body);
    else this.#onStreamFrame(type, (flags & Flag.END) !== 0, number, body);
  }

  #onStreamFrame(type: number, isLast: boolean, number: number, body: Buffer): void {
    const stream = this.#streams.get(number);
    if (stream === undefined) return;
    if (type === Frame.RESPONSE) {
      const { head, bytes } = splitHead(body);
      this.#onAnswer(stream, number, parseForwardedHead(head), bytes, isLast);
    } else if (type === Frame.DATA) {
      if (stream.answer instanceof Inflow) stream.answer.take(body, isLast);
      else addPiece(stream.answer, stream, body, isLast);
    } else if (type === Frame.ABORTED) {
      const { head, bytes } = splitHead(body);
      stream.sink.onAborted(parseForwardedAbort(head, Buffer.from(bytes)));
    } else if (type === Frame.REPORT) {
      const report = parseForwardedReport(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onReport(report);
    } else if (type === Frame.REFUSED) {
      const refusal = parseRefusal(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onRefused(refusal);
    }
  }

  #onAnswer(stream: Stream, number: number, head: ForwardedHead, bytes: Buffer, isLast: boolean): void {
    if (head.streamed) {
      const write = (frame: Buffer): void => {
        if (this.#state === 'Open') this.#socket.write(frame);
      };
      stream.answer = new Inflow(number, write, (credit) => stream.sink.onStream(head, credit));
      return;
    }
    const answer = { head, pieces: [], bytes: 0 };
    stream.answer = answer;
    addPiece(answer, stream, bytes, isLast);
  }

  #onLinkFrame(type: number, body: Buffer): void {
    if (type === Frame.RING && this.#state === 'Open') this.#owner.ring(this.#peerId, parseRing(parseJson(body)));
    else if (type === Frame.PEER_HELLO && this.#state === 'Greeting') {
      const hello = parsePeerHello(parseJson(body));
      const auth = answerPeerHello(hello, this.#name, this.#identity, this.#nonce);
      this.#peerId = hello.gatewayId;
      this.#state = 'Authenticating';
      this.#socket.write(encodeFrame(Frame.PEER_AUTH, 0, auth));
    } else if (type === Frame.PEER_WELCOME && this.#state === 'Authenticating') {
      const { signature } = parsePeerWelcome(parseJson(body));
      checkWelcome(signature, this.#nonce, this.#peerId, this.#identity);
      this.#state = 'Open';
      this.#owner.opened(this.#peerId);
    } else if (type !== Frame.PONG || this.#state !== 'Open') {
      throw new LinkError('BadFrame', `frame ${type} while ${this.#state}`);
    }
  }

  #end(error: LinkError): void {
    if (this.#state === 'Closed') return;
    this.#state = 'Closed';
    this.#socket.destroy();
    for (const { sink } of this.#streams.values()) sink.onLost(error);
    this.#streams.clear();
    this.#owner.closed(error);
  }
}

function addPiece(answer: PartialAnswer | null, stream: Stream, bytes: Buffer, isLast: boolean): void {
  if (answer === null) throw new LinkError('BadFrame', 'DATA before RESPONSE');
  answer.pieces.push(Buffer.from(bytes));
  answer.bytes += bytes.length;
  if (answer.bytes > MAX_ANSWER_BYTES) throw new LinkError('PayloadTooLarge', `answer above ${MAX_ANSWER_BYTES} bytes`);
  if (!isLast) return;
  stream.answer = null;
  const [first] = answer.pieces;
  const payload =
    answer.pieces.length === 1 && first !== undefined ? first : Buffer.concat(answer.pieces, answer.bytes);
  stream.sink.onResponse(answer.head, payload);
}
