import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Where a log goes: an HTTP answer, or a test. */
export interface LogSink {
  /** @returns false when the reader is behind; `onDrain` tells when it has caught up */
  write(bytes: Buffer): boolean;
  onDrain(listener: () => void): void;
  end(): void;
}

/** How a log is read. */
export interface LogStreamOptions {
  readonly path: string;
  /** Byte to begin at. */
  readonly start: number;
  /** Bytes of the file to send at most; undefined = all. */
  readonly limitBytes: number | undefined;
  /** Put before each line; null for none. */
  readonly prefix: (() => string) | null;
  /** Calls `run` again and again until the returned function is called. */
  readonly repeat: (run: () => void) => () => void;
}

const chunkBytes = 64 * 1024;

/**
 * Sends a log file that may still grow, at the reader's pace: nothing is held but one chunk. A file that became shorter
 * was cut by its writer and is read on from its start.
 * States: reading → (end of file) waiting → reading … → `finish` was called and the end of the file reached, or the
 * limit → ended.
 */
export class LogStream {
  readonly #options: LogStreamOptions;
  readonly #sink: LogSink;
  #offset: number;
  #left: number;
  #isBlocked = false;
  #isFinishing = false;
  #isEnded = false;
  #isLineStart = true;
  #stopRepeat: () => void = () => undefined;

  constructor(options: LogStreamOptions, sink: LogSink) {
    this.#options = options;
    this.#sink = sink;
    this.#offset = options.start;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Begins to send, and looks for more until `finish` or `stop`. */
  start(): void {
    this.#sink.onDrain(() => {
      this.#isBlocked = false;
      this.#pump();
    });
    this.#stopRepeat = this.#options.repeat(() => this.#pump());
    this.#pump();
  }

  /** Nothing more will be written: ends after the last byte. */
  finish(): void {
    this.#isFinishing = true;
    this.#pump();
  }

  /** The reader is gone. */
  stop(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopRepeat();
  }

  #pump(): void {
    if (this.#isBlocked || this.#isEnded) return;
    const isAtEnd = this.#sendAvailable();
    if (this.#left <= 0 || (isAtEnd && this.#isFinishing)) {
      this.stop();
      this.#sink.end();
    }
  }

  /** @returns true when the end of the file was reached */
  #sendAvailable(): boolean {
    const size = statSync(this.#options.path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return true;
    const file = openSync(this.#options.path, 'r');
    try {
      while (this.#left > 0 && !this.#isBlocked) {
        const bytes = readChunk(file, this.#offset, Math.min(chunkBytes, this.#left));
        if (bytes.length === 0) return true;
        this.#offset += bytes.length;
        this.#left -= bytes.length;
        this.#isBlocked = !this.#sink.write(
          this.#options.prefix === null ? bytes : this.#withPrefixes(bytes, this.#options.prefix),
        );
      }
      return false;
    } finally {
      closeSync(file);
    }
  }

  #withPrefixes(bytes: Buffer, prefix: () => string): Buffer {
    const head = this.#isLineStart ? prefix() : '';
    this.#isLineStart = bytes.at(-1) === 0x0a;
    const text = bytes.toString('latin1'); // byte for byte
    const lines = text.replaceAll('\n', `\n${prefix()}`);
    return Buffer.from(head + (this.#isLineStart ? lines.slice(0, -prefix().length) : lines), 'latin1');
  }
}

function readChunk(file: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
}

/** Offset of the last `lines` lines of a file; 0 when it has fewer or does not exist. */
export function tailOffset(path: string, lines: number): number {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return 0;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (lines === 0) return size;
    let found = 0;
    for (let end = size; end > 0; end -= chunkBytes) {
      const start = Math.max(0, end - chunkBytes);
      const bytes = readChunk(file, start, end - start);
      for (let index = bytes.length - 1; index >= 0; index -= 1) {
        if (bytes[index] !== 0x0a || start + index === size - 1) continue;
        found += 1;
        if (found === lines) return start + index + 1;
      }
    }
    return 0;
  } finally {
    closeSync(file);
  }
}
