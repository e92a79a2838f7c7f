/**
 * @typedef {object} Message One complete HTTP/1.1 response.
 * @property {number} status
 * @property {Record<string, string>} headers names in lower case, values decoded as UTF-8
 * @property {Buffer} body
 * @property {boolean} keepAlive whether the server takes another request on this connection
 */

const HEAD_END = '\r\n\r\n';
/** More than a client context (3,583 bytes), an identity, a trace and the fixed headers can need. */
const MAX_HEAD_BYTES = 65_536;

/**
 * Reads one HTTP/1.1 response at a time from the pieces that a socket delivers: bodies with a length and chunked ones.
 * Own code, because loading `node:http` costs a waiting pod 18 MB (ADR 0003).
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6
 */
export class ResponseReader {
  /** @type {Buffer | null} bytes that came before the head was complete, or of an incomplete chunk line */
  #rest = null;
  /** @type {{ status: number, headers: Record<string, string>, keepAlive: boolean } | null} */
  #head = null;
  /** @type {Buffer[]} body pieces so far */
  #pieces = [];
  /** Bytes of the body, or of the current chunk, still to come. -1: the next thing is a chunk's size line. */
  #missing = 0;
  #chunked = false;
  /** True between the last chunk and the end of the trailer section. */
  #trailer = false;

  /**
   * Takes the next bytes.
   * @param {Buffer} bytes
   * @returns {Message | null} the response once it is complete; the reader is then ready for the next one
   * @throws {Error} when the bytes are not an HTTP/1.1 response
   */
  push(bytes) {
    let left = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = null;
    let head = this.#head;
    if (head === null) {
      const end = left.indexOf(HEAD_END);
      if (end < 0) {
        if (left.length > MAX_HEAD_BYTES) throw new Error('runtime API: response head is too large');
        this.#rest = left;
        return null;
      }
      head = this.#begin(left.toString('utf8', 0, end));
      left = left.subarray(end + HEAD_END.length);
    }
    return (this.#chunked ? this.#takeChunks(left) : this.#takeLength(left)) ? this.#finish(head) : null;
  }

  /** @param {string} text */
  #begin(text) {
    const lines = text.split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(lines[0] ?? '');
    if (status === null) throw new Error('runtime API: not an HTTP/1.1 response');
    /** @type {Record<string, string>} */
    const headers = {};
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    this.#chunked = headers['transfer-encoding']?.toLowerCase() === 'chunked';
    this.#missing = this.#chunked ? -1 : Number(headers['content-length'] ?? 0);
    if (!Number.isInteger(this.#missing)) throw new Error('runtime API: bad content-length');
    this.#head = { status: Number(status[1]), headers, keepAlive: headers['connection']?.toLowerCase() !== 'close' };
    return this.#head;
  }

  /** @param {Buffer} bytes */
  #takeLength(bytes) {
    this.#pieces.push(bytes);
    this.#missing -= bytes.length;
    if (this.#missing < 0) throw new Error('runtime API: more bytes than the response has');
    return this.#missing === 0;
  }

  /** @param {Buffer} bytes */
  #takeChunks(bytes) {
    let left = bytes;
    while (left.length > 0) {
      if (this.#missing >= 0) left = this.#takeChunkData(left);
      else {
        const end = left.indexOf('\r\n');
        if (end < 0) {
          this.#rest = left;
          return false;
        }
        if (this.#takeChunkLine(left.toString('latin1', 0, end))) return true;
        left = left.subarray(end + 2);
      }
    }
    return false;
  }

  /** @param {Buffer} bytes */
  #takeChunkData(bytes) {
    const taken = Math.min(this.#missing, bytes.length);
    // The last two of the missing bytes are the line end after the data.
    const usable = Math.min(taken, Math.max(0, this.#missing - 2));
    if (usable > 0) this.#pieces.push(bytes.subarray(0, usable));
    this.#missing -= taken;
    if (this.#missing === 0) this.#missing = -1;
    return bytes.subarray(taken);
  }

  /** @param {string} line @returns {boolean} whether the body is complete */
  #takeChunkLine(line) {
    if (this.#trailer) return line === '';
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error('runtime API: bad chunk size');
    if (size === 0) this.#trailer = true;
    else this.#missing = size + 2;
    return false;
  }

  /** @param {{ status: number, headers: Record<string, string>, keepAlive: boolean }} head @returns {Message} */
  #finish(head) {
    const [only] = this.#pieces;
    const body = only !== undefined && this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces);
    this.#head = null;
    this.#pieces = [];
    this.#trailer = false;
    return { ...head, body };
  }
}
