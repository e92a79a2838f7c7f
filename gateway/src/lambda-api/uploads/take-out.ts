import { serializationError } from '../errors.ts';
import { Base64Decoder, notBase64 } from './base64.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** What {@link TakeOut} is told. */
export interface TakeOutOptions {
  /** The member by its keys from the root down, e.g. `['Code', 'ZipFile']`. */
  readonly path: readonly string[];
  /** Most bytes of the document without the member's text. */
  readonly maxRestBytes: number;
  /** What to throw when there are more. */
  readonly tooLarge: () => Error;
}

/**
 * Reads a JSON document piece by piece and takes one member's base64 text out of it: that text may be 67 MB, which nobody holds, parses or
 * copies as a whole. What is left is the same document with an empty text in its place; it is small, and JSON.parse finds its faults.
 *
 * Modes: *outside* of texts → `"` → *text* (a key or a value, kept) or, when the keys above it are the path, *blob* (decoded, not kept) →
 * its closing `"` → *outside*. Brackets count the depth; a `:` says that the text before it was the key at this depth, a `,` ends it.
 */
export class TakeOut {
  readonly #options: TakeOutOptions;
  readonly #rest: Buffer[] = [];
  #restBytes = 0;
  readonly #decoder = new Base64Decoder();
  #mode: 'outside' | 'text' | 'blob' = 'outside';
  #depth = 0;
  /** Keys by depth, from 1; null = there is none (yet). */
  #keys: (string | null)[] = [];
  /** Bytes of the text that is being read, or was read last, as far as it may be a key of the path. */
  #text = '';
  #isEscaped = false;
  /** The end of a piece that may be the beginning of an escape: `\`, `\u00`. */
  #half = '';
  #hasFound = false;

  constructor(options: TakeOutOptions) {
    this.#options = options;
  }

  /** Whether the member was there, as a text. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  /** The document without the member's text. */
  rest(): Buffer {
    return Buffer.concat(this.#rest);
  }

  /**
   * The next piece of the document.
   *
   * @returns what it has of the member, decoded
   * @throws LambdaError SerializationException when that is not base64; what `tooLarge` makes
   */
  push(piece: Buffer): readonly Buffer[] {
    const decoded: Buffer[] = [];
    let at = 0;
    while (at < piece.length) at = this.#mode === 'blob' ? this.#blob(piece, at, decoded) : this.#keep(piece, at);
    return decoded;
  }

  /** Takes the member's text up to its end or the piece's. */
  #blob(piece: Buffer, from: number, decoded: Buffer[]): number {
    const quote = piece.indexOf(QUOTE, from);
    const end = quote < 0 ? piece.length : quote;
    const text = this.#unescape(piece.toString('latin1', from, end), quote >= 0);
    if (text !== '') decoded.push(this.#decoder.decode(text));
    if (quote < 0) return end;
    decoded.push(this.#decoder.end());
    this.#mode = 'outside';
    this.#add(piece.subarray(quote, quote + 1));
    return quote + 1;
  }

  /** Some clients escape `/`, `+` and `=`; an escaped quote is no base64, and refused by what stands before it. */
  #unescape(text: string, isLast: boolean): string {
    if (this.#half === '' && !text.includes('\\')) return text;
    const whole = this.#half + text;
    const half = /\\(u[0-9a-fA-F]{0,3})?$/.exec(whole)?.[0] ?? '';
    if (half !== '' && isLast) throw notBase64();
    this.#half = half;
    const complete = whole.slice(0, whole.length - half.length);
    try {
      return String(JSON.parse(`"${complete}"`));
    } catch {
      throw notBase64();
    }
  }

  /** Keeps the piece up to where the member begins, or to its end. */
  #keep(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && this.#mode !== 'blob') this.#step(piece[at++] ?? 0);
    this.#add(piece.subarray(from, at));
    return at;
  }

  #step(byte: number): void {
    if (this.#mode === 'text') this.#inText(byte);
    else if (byte === QUOTE) this.#open();
    else if (byte === COLON) this.#keys[this.#depth] = this.#text;
    else if (byte === COMMA) this.#keys[this.#depth] = null;
    else if (OPENING.has(byte)) this.#keys[++this.#depth] = null;
    else if (CLOSING.has(byte)) this.#depth -= 1;
  }

  #inText(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#mode = 'outside';
      return;
    }
    if (this.#text.length < MAX_KEY_CHARS) this.#text += String.fromCharCode(byte);
  }

  #open(): void {
    this.#text = '';
    this.#mode = this.#isAtPath() ? 'blob' : 'text';
    if (this.#mode === 'text') return;
    if (this.#hasFound) throw serializationError(`The request body has ${this.#options.path.at(-1)} twice.`);
    this.#hasFound = true;
  }

  #isAtPath(): boolean {
    const { path } = this.#options;
    return this.#depth === path.length && path.every((key, above) => this.#keys[above + 1] === key);
  }

  #add(bytes: Buffer): void {
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.#options.maxRestBytes) throw this.#options.tooLarge();
    this.#rest.push(Buffer.from(bytes));
  }
}

/** Keys of a path are shorter. */
const MAX_KEY_CHARS = 64;
