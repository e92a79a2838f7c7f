import type { Socket } from 'node:net';

import { syncPayloadMaxBytes } from '@kappa/crds/limits';

import type { StreamedBody } from '../dispatch/answer-stream.ts';
import type { Outcome } from '../dispatch/types.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import { encodeFrame, FrameDecoder, parseJson, splitHead, writeMessage } from '../link/codec.ts';
import { Flag, Frame } from '../link/generated/frames.ts';
import { LinkError } from '../link/link.ts';
import { Elsewhere, type ForwardHead, makeRefusal, parseCredit, parseForwardHead } from './forward-messages.ts';
import { parsePeerAuth, parseRing, type RingMessage } from './messages.ts';
import { Outflow } from './outflow.ts';
import { answerPeerAuth, makeHello, makeNonce, type PeerIdentity } from './peer-handshake.ts';

/** What a session does for the gateway that dialled. */
export interface SessionOwner {
  readonly identity: PeerIdentity;
  /** Bytes of events of forwarded requests. */
  readonly budget: BufferBudget;
  /** Forwarded requests at one time. */
  readonly maxStreams: number;
  /** Any bytes of an authenticated gateway. */
  heard(gatewayId: string): void;
  /** A RING came in; the answer. */
  ring(gatewayId: string, message: RingMessage): RingMessage;
  /** Runs a request here. `isAbandoned`: its sender waits no more, or is gone. */
  receive(head: ForwardHead, event: Buffer, isAbandoned: () => boolean): Promise<Outcome>;
  closed(session: PeerSession, error: LinkError): void;
}

/*
 * The listener's end. What is not listed closes the connection with BadFrame.
 *
 *   state    | PEER_AUTH         | RING   | FORWARD, DATA, CANCEL | socket ends, close(), too late
 *   Greeting | WELCOME, -> Open  | -      | -                     | -> Closed
 *   Open     | -                 | answer | see below             | -> Closed
 *
 * One stream: FORWARD [DATA…] END → run → RESPONSE [DATA…] and REPORT, or REFUSED. Bytes are taken from the budget piece by piece as
 * they come; what does not fit is refused and its rest skipped. They are given back when the request is answered, or its answer begins,
 * also when the connection ended meanwhile: what runs, runs on. A streamed answer goes out by an Outflow, which CREDIT feeds.
 */
type State = 'Greeting' | 'Open' | 'Closed';

interface Stream {
  readonly head: ForwardHead;
  pieces: Buffer[];
  bytes: number;
  /** Handed to dispatch: it ends by itself. */
  isRunning: boolean;
  isCancelled: boolean;
}

/** One connection that another gateway has dialled. */
export class PeerSession {
  readonly #socket: Socket;
  readonly #owner: SessionOwner;
  readonly #nonce = makeNonce();
  readonly #decoder: FrameDecoder;
  readonly #streams = new Map<number, Stream>();
  /** Answers that are being streamed. */
  readonly #outflows = new Map<number, Outflow>();
  #state: State = 'Greeting';
  /** The dialler's life; empty before it has proved it. */
  #peerId = '';

  constructor(socket: Socket, owner: SessionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#decoder = new FrameDecoder((type, flags, stream, body) => this.#onFrame(type, flags, stream, body));
    socket.on('data', (bytes: Buffer) => this.#onRead(bytes));
    socket.on('error', (cause) => this.close(new LinkError('Lost', 'the peer connection broke', { cause })));
    socket.on('close', () => this.close(new LinkError('Lost', 'the peer connection was closed')));
    socket.write(encodeFrame(Frame.PEER_HELLO, 0, makeHello(owner.identity, this.#nonce)));
  }

  get isOpen(): boolean {
    return this.#state === 'Open';
  }

  get peerId(): string {
    return this.#peerId;
  }

  /** Lets what was written reach the other side, then closes. */
  finish(): void {
    if (this.#state !== 'Closed') this.#socket.end();
  }

  close(error: LinkError): void {
    if (this.#state === 'Closed') return;
    this.#state = 'Closed';
    this.#socket.destroy();
    for (const [number, stream] of this.#streams) {
      stream.isCancelled = true;
      if (!stream.isRunning) this.#forget(number, stream);
    }
    for (const outflow of this.#outflows.values()) outflow.silence();
    this.#owner.closed(this, error);
  }

  #onRead(bytes: Buffer): void {
    if (this.#state === 'Closed') return;
    if (this.#state === 'Open') this.#owner.heard(this.#peerId);
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      this.close(
        error instanceof LinkError ? error : new LinkError('Internal', 'frame handling failed', { cause: error }),
      );
    }
  }

  #onFrame(type: number, flags: number, number: number, body: Buffer): void {
    if (this.#state === 'Closed') return;
    if (number === 0) this.#onLinkFrame(type, body);
    else if (this.#state !== 'Open') throw new LinkError('NotAuthenticated', 'a request before PEER_AUTH');
    else if (type === Frame.FORWARD) this.#onForward(number, body, (flags & Flag.END) !== 0);
    else if (type === Frame.DATA) this.#onPiece(number, body, (flags & Flag.END) !== 0);
    else if (type === Frame.CREDIT) this.#outflows.get(number)?.grant(parseCredit(parseJson(body)));
    else if (type === Frame.CANCEL) {
      const stream = this.#streams.get(number);
      if (stream !== undefined) stream.isCancelled = true;
      this.#outflows.get(number)?.silence();
    }
  }

  #onLinkFrame(type: number, body: Buffer): void {
    if (type === Frame.RING && this.#state === 'Open') {
      const answer = this.#owner.ring(this.#peerId, parseRing(parseJson(body)));
      this.#socket.write(encodeFrame(Frame.RING, 0, JSON.stringify(answer)));
    } else if (type === Frame.PING && this.#state === 'Open') this.#socket.write(encodeFrame(Frame.PONG, 0));
    else if (type === Frame.PEER_AUTH && this.#state === 'Greeting') {
      const auth = parsePeerAuth(parseJson(body));
      const welcome = answerPeerAuth(auth, this.#nonce, this.#owner.identity);
      this.#peerId = auth.gatewayId;
      this.#state = 'Open';
      this.#socket.write(encodeFrame(Frame.PEER_WELCOME, 0, welcome));
    } else throw new LinkError('BadFrame', `frame ${type} while ${this.#state}`);
  }

  #onForward(number: number, body: Buffer, isLast: boolean): void {
    const { head, bytes } = splitHead(body);
    const stream: Stream = { head: parseForwardHead(head), pieces: [], bytes: 0, isRunning: false, isCancelled: false };
    if (this.#streams.size + this.#outflows.size >= this.#owner.maxStreams) {
      this.#refuse(number, new Elsewhere('Unavailable', 'too many forwarded requests'));
      return;
    }
    this.#streams.set(number, stream);
    this.#take(number, stream, bytes, isLast);
  }

  #onPiece(number: number, body: Buffer, isLast: boolean): void {
    const stream = this.#streams.get(number);
    if (stream?.isRunning === false) this.#take(number, stream, body, isLast); // else it was refused
  }

  #take(number: number, stream: Stream, bytes: Buffer, isLast: boolean): void {
    if (stream.bytes + bytes.length > syncPayloadMaxBytes) {
      this.#forget(number, stream);
      throw new LinkError('PayloadTooLarge', `event above ${syncPayloadMaxBytes} bytes`);
    }
    if (!this.#owner.budget.take(bytes.length)) {
      this.#forget(number, stream);
      this.#refuse(number, new Elsewhere('Unavailable', 'the budget for forwarded requests is used up'));
      return;
    }
    stream.bytes += bytes.length;
    stream.pieces.push(Buffer.from(bytes));
    if (isLast) void this.#run(number, stream);
  }

  async #run(number: number, stream: Stream): Promise<void> {
    const [first] = stream.pieces;
    const event =
      stream.pieces.length === 1 && first !== undefined ? first : Buffer.concat(stream.pieces, stream.bytes);
    stream.pieces = [];
    stream.isRunning = true;
    try {
      const outcome = await this.#owner.receive(stream.head, event, () => stream.isCancelled);
      this.#forget(number, stream);
      if (outcome.body) await this.#stream(number, stream, outcome, outcome.body);
      else this.#answer(number, outcome);
    } catch (error) {
      this.#forget(number, stream);
      this.#refuse(number, error);
    }
  }

  #answer(number: number, outcome: Outcome): void {
    if (this.#state !== 'Open') return;
    const { kind, contentType, errorType, start, waitMs } = outcome;
    const head = JSON.stringify({ kind, contentType, errorType, start, waitMs });
    this.#socket.cork();
    writeMessage(this.#socket, { type: Frame.RESPONSE, stream: number, head, bytes: outcome.payload });
    this.#report(number, outcome);
    queueMicrotask(() => this.#socket.uncork()); // a report that is in goes out with the answer, in one piece
  }

  async #stream(number: number, { head, isCancelled }: Stream, outcome: Outcome, body: StreamedBody): Promise<void> {
    const { kind, contentType, start, waitMs } = outcome;
    const outflow = new Outflow(number, head.stream?.windowBytes ?? 0, body, (frame) => {
      if (this.#state === 'Open') this.#socket.write(frame);
    });
    this.#outflows.set(number, outflow);
    if (isCancelled || this.#state !== 'Open') outflow.silence();
    await outflow.run(JSON.stringify({ kind, contentType, start, waitMs, streamed: true }));
    this.#outflows.delete(number);
    this.#report(number, outcome);
  }

  #report(number: number, outcome: Outcome): void {
    void outcome.report.then((report) => {
      if (this.#state === 'Open') this.#socket.write(encodeFrame(Frame.REPORT, number, JSON.stringify(report)));
    });
  }

  #refuse(number: number, error: unknown): void {
    if (this.#state === 'Open') this.#socket.write(encodeFrame(Frame.REFUSED, number, makeRefusal(error)));
  }

  #forget(number: number, stream: Stream): void {
    this.#streams.delete(number);
    this.#owner.budget.give(stream.bytes);
    stream.bytes = 0;
  }
}
