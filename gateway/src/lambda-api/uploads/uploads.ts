import { join } from 'node:path';

import { Spool } from '../../blobs/blob-store.ts';
import { Turns } from '../turns.ts';
import { Slots, type SlotsOptions } from './slots.ts';

/** What {@link Uploads} is made with. */
export interface UploadsOptions extends Pick<SlotsOptions, 'schedule'> {
  /** Of the blob store: what is large waits below it, where a restart clears it away. */
  readonly blobDir: string;
  /** Largest package, bytes. */
  readonly maxZipBytes: number;
}

/** Larger packages than this wait in a file, and take turns. */
export const SMALL_UPLOAD_BYTES = 1024 * 1024;
/** So many files of `maxZipBytes` at one time, and where the disk takes nothing so much memory. */
const AT_ONCE = 4;
const MAX_WAITING = 64;
/** Less than the SDKs wait for an answer (60 s). */
const WAIT_MS = 30_000;

/** Packages on their way to the blob store: what comes of them is bounded, on disk and in memory. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #slots: Slots;
  readonly #alone = new Turns();

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#slots = new Slots({
      atOnce: AT_ONCE,
      maxWaiting: MAX_WAITING,
      waitMs: WAIT_MS,
      schedule: options.schedule,
    });
  }

  /** Largest package, bytes. */
  get maxZipBytes(): number {
    return this.#options.maxZipBytes;
  }

  /** The turn of a package that may be large. @returns what ends it, once or more often @throws LambdaError TooManyRequestsException */
  turn(): Promise<() => void> {
    return this.#slots.take();
  }

  /** Work that holds a whole package in memory: none of it runs at the same time. */
  async alone<R>(work: () => Promise<R>): Promise<R> {
    const end = await this.#alone.take();
    return work().finally(end);
  }

  /** For one package. The caller ends or discards it. */
  open(): Spool {
    const { blobDir, maxZipBytes } = this.#options;
    return new Spool({ directory: join(blobDir, 'tmp'), maxBytes: maxZipBytes, memoryBytes: SMALL_UPLOAD_BYTES });
  }
}
