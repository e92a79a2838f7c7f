import { connect } from './builtins.mjs';
import { ResponseReader } from './response-reader.mjs';

const INVOCATION = '/2018-06-01/runtime/invocation/';

/**
 * @typedef {object} Request
 * @property {'GET' | 'POST'} method
 * @property {string} path
 * @property {string} [body] JSON text
 * @property {string} [errorType] value of Lambda-Runtime-Function-Error-Type
 */
/**
 * @typedef {object} Claim What a generic process becomes.
 * @property {Record<string, string>} environment the complete environment, nothing else may remain
 * @property {string} handler
 * @property {string} taskRoot folder with the code
 */

/**
 * @typedef {object} Upload An answer that is being written.
 * @property {(piece: Buffer, done: (error?: Error | null) => void) => void} write `done` when the agent's connection has taken it
 * @property {(done?: (error?: Error | null) => void, error?: import('./errors.mjs').ErrorBody) => Promise<void>} end its last word, with
 *   the error that ends it; only the first one counts; resolves when the agent has answered
 * @property {boolean} isOver its last word has been written
 */

/** An error's trailer has to fit into 4 KiB with its name, in base64: what Go's server takes. */
const MAX_TRAILER_JSON_BYTES = 2_700;

/**
 * The agent's Runtime API over one kept-alive connection, one request at a time. While no request is open the connection does
 * not keep the process alive, so that an empty event loop can be noticed (callback handlers rely on that).
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApi {
  #host;
  #port;
  /** @type {import('node:net').Socket | null} */
  #socket = null;
  /** @type {{ resolve: (message: import('./response-reader.mjs').Message) => void, reject: (error: Error) => void } | null} */
  #open = null;
  /** The answer that is being written, until the agent has answered. @type {Upload | null} */
  #upload = null;

  /** @param {string} address `host:port`, the value of AWS_LAMBDA_RUNTIME_API */
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.#host = address.slice(0, colon);
    this.#port = Number(address.slice(colon + 1));
  }

  /** Whether a request is open, so that another one cannot be made now. An answer that is being written can still be failed. */
  get isBusy() {
    return this.#open !== null && this.#upload?.isOver !== false;
  }

  /** Waits for the next invocation, without a time limit. */
  async next() {
    const { status, headers, body } = await this.#call({ method: 'GET', path: `${INVOCATION}next` });
    if (status !== 200) throw new Error(`runtime API: next answered ${status}`);
    return { headers, event: body };
  }

  /**
   * Posts the answer. A refusal (too large, too late) is the agent's to report, so the status is not looked at.
   * @param {string} requestId
   * @param {string} json
   */
  async respond(requestId, json) {
    await this.#call({ method: 'POST', path: `${INVOCATION}${encodeURIComponent(requestId)}/response`, body: json });
  }

  /**
   * Begins an answer that is written piece by piece. No other request can be made before its end, but `fail`, which is one.
   * @param {string} requestId
   * @param {string} contentType
   * @returns {Upload}
   * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
   */
  stream(requestId, contentType) {
    if (this.#open !== null) throw new Error('runtime API: a request is open already');
    /** @type {PromiseWithResolvers<import('./response-reader.mjs').Message>} */
    const { promise, resolve, reject } = Promise.withResolvers();
    promise.catch(() => {}); // told by end
    this.#open = { resolve, reject };
    const socket = this.#connected();
    socket.ref();
    socket.write(
      `POST ${INVOCATION}${encodeURIComponent(requestId)}/response HTTP/1.1\r\nHost: ${this.#host}:${this.#port}\r\n` +
        `Content-Type: ${headerValue(contentType)}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n` +
        `Transfer-Encoding: chunked\r\nTrailer: ${ERROR_TYPE}, ${ERROR_BODY}\r\n\r\n`,
    );
    /** @type {Upload} */
    const upload = {
      isOver: false,
      write: (piece, done) => {
        if (upload.isOver) done(new Error('runtime API: the answer is over'));
        else if (piece.length === 0) done();
        else writeChunk(socket, piece, done);
      },
      end: async (done, error) => {
        if (!upload.isOver) socket.write(`0\r\n${error === undefined ? '' : trailers(error)}\r\n`, done);
        else done?.();
        upload.isOver = true;
        await promise;
      },
    };
    this.#upload = upload;
    return upload;
  }

  /**
   * @param {string} requestId
   * @param {import('./errors.mjs').ErrorBody} error
   */
  async fail(requestId, error) {
    if (this.#upload !== null) {
      await this.#upload.end(undefined, error);
      return;
    }
    const path = `${INVOCATION}${encodeURIComponent(requestId)}/error`;
    await this.#call({ method: 'POST', path, body: JSON.stringify(error), errorType: error.errorType });
  }

  /** @param {import('./errors.mjs').ErrorBody} error */
  async failInit(error) {
    const path = '/2018-06-01/runtime/init/error';
    await this.#call({ method: 'POST', path, body: JSON.stringify(error), errorType: error.errorType });
  }

  /** Waits until this generic process is given a function, without a time limit. @returns {Promise<Claim>} */
  async claim() {
    const { status, body } = await this.#call({ method: 'GET', path: '/kappa/v1/claim' });
    if (status !== 200) throw new Error(`runtime API: claim answered ${status}`);
    return JSON.parse(body.toString('utf8'));
  }

  /** @param {Request} request @returns {Promise<import('./response-reader.mjs').Message>} */
  #call({ method, path, body, errorType }) {
    if (this.#open !== null) throw new Error('runtime API: a request is open already');
    return new Promise((resolve, reject) => {
      this.#open = { resolve, reject };
      const socket = this.#connected();
      socket.ref();
      let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}:${this.#port}\r\n`;
      if (errorType !== undefined) head += `Lambda-Runtime-Function-Error-Type: ${headerValue(errorType)}\r\n`;
      if (body === undefined) socket.write(`${head}\r\n`);
      else {
        const length = Buffer.byteLength(body);
        socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`);
      }
    });
  }

  #connected() {
    if (this.#socket !== null) return this.#socket;
    const reader = new ResponseReader();
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    socket.on('data', (bytes) => {
      try {
        const message = reader.push(bytes);
        if (message !== null) this.#settle(socket, message);
      } catch (error) {
        socket.destroy(/** @type {Error} */ (error));
      }
    });
    socket.on('error', (error) => this.#lose(socket, error));
    socket.on('close', () => this.#lose(socket, new Error('runtime API: connection closed')));
    return socket;
  }

  /** @param {import('node:net').Socket} socket @param {import('./response-reader.mjs').Message} message */
  #settle(socket, message) {
    const open = this.#open;
    this.#open = null;
    socket.unref();
    const isEarly = this.#endUpload(); // the agent takes no more of an answer: the rest must not look like a request
    if (!message.keepAlive || isEarly) {
      this.#socket = null;
      socket.destroy();
    }
    open?.resolve(message);
  }

  /** Returns whether an answer was being written. */
  #endUpload() {
    const upload = this.#upload;
    this.#upload = null;
    if (upload === null || upload.isOver) return false;
    upload.isOver = true;
    return true;
  }

  /** @param {import('node:net').Socket} socket @param {Error} error */
  #lose(socket, error) {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#endUpload();
    const open = this.#open;
    this.#open = null;
    open?.reject(error);
  }
}

/** @param {import('node:net').Socket} socket @param {Buffer} piece @param {(error?: Error | null) => void} done */
function writeChunk(socket, piece, done) {
  socket.cork();
  socket.write(`${piece.length.toString(16)}\r\n`);
  socket.write(piece);
  socket.write('\r\n', done);
  socket.uncork();
}

const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';

/** What is too long loses lines of its trace first, then the end of its message. @param {import('./errors.mjs').ErrorBody} error */
function trailers(error) {
  let { trace, errorMessage } = error;
  const json = () => Buffer.from(JSON.stringify({ ...error, errorMessage, trace }));
  while (trace.length > 0 && json().length > MAX_TRAILER_JSON_BYTES) trace = trace.slice(0, -1);
  while (errorMessage !== '' && json().length > MAX_TRAILER_JSON_BYTES) {
    errorMessage = errorMessage.slice(0, Math.floor(errorMessage.length / 2));
  }
  return `${ERROR_TYPE}: ${headerValue(error.errorType)}\r\n${ERROR_BODY}: ${json().toString('base64')}\r\n`;
}

/** A header takes visible ASCII only; an error's name can be anything. @param {string} text */
function headerValue(text) {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
}
