import { highWaterMarkOf } from './awslambda.mjs';
import { RuntimeError } from './errors.mjs';

/** @type {Pick<typeof import('node:stream'), 'Writable'>} */
const { Writable } = process.getBuiltinModule('stream');

/**
 * The contract of handlers that stream: `handler(event, responseStream, context)`. The invocation is over when the handler's promise is
 * settled and the stream has ended. What is thrown after the first byte reaches the caller as the answer's end.
 * @param {Function} handler
 * @param {import('./runtime-api.mjs').RuntimeApi} api
 * @returns {import('./invoke.mjs').Invoke}
 */
export function makeStreamingInvoke(handler, api) {
  const highWaterMark = highWaterMarkOf(handler);
  return async (event, context) => {
    const stream = new ResponseStream(api, context.awsRequestId, highWaterMark);
    try {
      const result = handler(event, stream, context);
      if (typeof result?.then !== 'function') {
        throw new RuntimeError('MalformedStreamingHandler', 'Streaming does not support non-async handlers.');
      }
      if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
      await stream.answered;
    } finally {
      // As in invoke.mjs.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

/**
 * Where a handler writes its answer: to the agent, which takes as much as the caller does. The first write begins the answer.
 */
export class ResponseStream extends Writable {
  /** Called before the first write; HttpResponseStream sets it. @type {((write: (piece: string | Uint8Array) => void) => void) | undefined} */
  _onBeforeFirstWrite;
  /** Settles when the agent has taken the whole answer, or when there will be none. @type {Promise<void>} */
  answered;
  #api;
  #requestId;
  #contentType = 'application/octet-stream';
  /** @type {import('./runtime-api.mjs').Upload | null} */
  #upload = null;
  /** @type {{ resolve: () => void, reject: (error: unknown) => void }} */
  #settle;

  /**
   * @param {import('./runtime-api.mjs').RuntimeApi} api
   * @param {string} requestId
   * @param {number} [highWaterMark]
   */
  constructor(api, requestId, highWaterMark) {
    super(highWaterMark === undefined ? {} : { highWaterMark });
    this.#api = api;
    this.#requestId = requestId;
    const { promise, resolve, reject } = Promise.withResolvers();
    this.answered = promise;
    this.#settle = { resolve: () => resolve(undefined), reject };
    promise.catch(() => {}); // told by who waits for it; a handler that has thrown says more
    this.on('error', () => {}); // a late write of a failed handler must not end the process
  }

  /** Of the answer, before anything is written. @param {string} contentType */
  setContentType(contentType) {
    if (this.#upload !== null)
      throw new RuntimeError('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.#contentType = contentType;
  }

  /**
   * Objects that are no bytes are written as JSON.
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  write(chunk, encoding, callback) {
    const isBytes = typeof chunk === 'string' || chunk instanceof Uint8Array;
    return super.write(isBytes ? chunk : JSON.stringify(chunk), encoding, callback);
  }

  /** @param {Buffer} chunk @param {BufferEncoding} _encoding @param {(error?: Error | null) => void} done */
  _write(chunk, _encoding, done) {
    this.#begun().write(chunk, done);
  }

  /** @param {(error?: Error | null) => void} done */
  _final(done) {
    this.#begun().end(done).then(this.#settle.resolve, this.#settle.reject);
  }

  /** @param {Error | null} error @param {(error?: Error | null) => void} done */
  _destroy(error, done) {
    if (!this.writableFinished)
      this.#settle.reject(error ?? new Error('The response stream was destroyed before its end.'));
    done(error);
  }

  #begun() {
    if (this.#upload !== null) return this.#upload;
    const upload = this.#api.stream(this.#requestId, this.#contentType);
    this.#upload = upload;
    this._onBeforeFirstWrite?.((piece) => upload.write(Buffer.from(/** @type {any} */ (piece)), () => {}));
    return upload;
  }
}
