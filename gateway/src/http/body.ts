import type { IncomingMessage } from 'node:http';

import { LambdaError } from '../errors.ts';
import { CallerGone } from './answer.ts';
import type { BufferBudget } from './buffer-budget.ts';

/** A request body in memory. Its bytes count against the budget until `release`. */
export interface Body {
  readonly bytes: Buffer;
  /** Once, when the bytes are not needed any more. */
  readonly release: () => void;
}

/** How a body is read. */
export interface ReadOptions {
  /** Most bytes that are taken. */
  readonly limitBytes: number;
  readonly budget: BufferBudget;
  /** What to throw for a body above the limit. */
  readonly tooLarge: () => Error;
  /** What each byte costs of the budget, >= 1: more where reading the body further takes memory, too. Default 1. */
  readonly weight?: number;
  /** Sees each piece as it arrives. */
  readonly onPiece?: (piece: Buffer) => void;
}

const nothing: Body = { bytes: Buffer.alloc(0), release: () => undefined };

/**
 * Reads a body, bounded three ways: a Content-Length above the limit is refused before a byte is read, a chunked body
 * as soon as it goes
 * over, and both when the process holds too much already.
 *
 * @throws what `tooLarge` makes; LambdaError 503 when the budget is used up; CallerGone
 */
export function readBody(req: IncomingMessage, options: ReadOptions): Promise<Body> {
  const declared = declaredBytes(req);
  if (declared === 0) return Promise.resolve(nothing);
  if (declared > options.limitBytes) return Promise.reject(options.tooLarge());
  // Its `close` was before anybody listened for it: what is taken now nobody would give back.
  if (req.destroyed) return Promise.reject(new CallerGone());
  return new BodyReader(req, options, declared).done;
}

/** Content-Length; 0 without a body; -1 when only its end will tell (chunked). */
export function declaredBytes(req: IncomingMessage): number {
  const { headers } = req;
  if (headers['transfer-encoding'] !== undefined) return -1;
  const length = headers['content-length'];
  return length === undefined ? 0 : Number(length);
}

class BodyReader {
  readonly done: Promise<Body>;
  readonly #options: ReadOptions;
  readonly #settle: { readonly resolve: (body: Body) => void; readonly reject: (err: Error) => void };
  /** Bytes that have room in the budget: the declared length, or what has arrived. */
  #taken = 0;
  /** What they cost of it. */
  #cost = 0;
  #seen = 0;
  /** Settled: what still arrives is thrown away (listeners stay, taking them off costs more than a test). */
  #isOver = false;
  /** The usual body is one piece: no array, no copy. */
  #first: Buffer | null = null;
  #more: Buffer[] | null = null;

  constructor(req: IncomingMessage, options: ReadOptions, declared: number) {
    const { promise, resolve, reject } = Promise.withResolvers<Body>();
    this.done = promise;
    this.#settle = { resolve, reject };
    this.#options = options;
    if (declared > 0 && !this.#take(declared)) return;
    req.on('data', this.#onData);
    req.on('end', this.#onEnd);
    // Without an `error` listener Node reports an aborted request by `close` alone.
    req.on('close', this.#onGone);
  }

  readonly #onData = (piece: Buffer): void => {
    if (this.#isOver) return;
    this.#seen += piece.length;
    if (this.#seen > this.#options.limitBytes) {
      this.#fail(this.#options.tooLarge());
      return;
    }
    if (this.#seen > this.#taken && !this.#take(this.#seen - this.#taken)) return;
    this.#options.onPiece?.(piece);
    if (this.#first === null) this.#first = piece;
    else if (this.#more === null) this.#more = [this.#first, piece];
    else this.#more.push(piece);
  };

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    const bytes = this.#more === null ? (this.#first ?? nothing.bytes) : Buffer.concat(this.#more, this.#seen);
    this.#more = null;
    const { budget } = this.#options;
    let held = this.#cost;
    const release = (): void => {
      budget.give(held);
      held = 0;
    };
    this.#settle.resolve({ bytes, release });
  };

  /** Also comes after every body that was read: no error may be made then, its stack would cost more than the body. */
  readonly #onGone = (): void => {
    if (!this.#isOver) this.#fail(new CallerGone());
  };

  #take(bytes: number): boolean {
    const { budget, weight = 1 } = this.#options;
    const cost = weight === 1 ? bytes : Math.ceil(bytes * weight);
    if (!budget.take(cost)) {
      this.#fail(overCapacity());
      return false;
    }
    this.#taken += bytes;
    this.#cost += cost;
    return true;
  }

  #fail(err: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.budget.give(this.#cost);
    this.#cost = 0;
    this.#first = null;
    this.#more = null;
    this.#settle.reject(err);
  }
}

/** What callers hear while the budget is used up. */
export function overCapacity(): LambdaError {
  return new LambdaError(
    'ServiceException',
    'the gateway holds too many request bodies, try again; the function has not run',
    {
      status: 503,
      fault: 'platform',
      retryAfterSeconds: 1,
    },
  );
}
