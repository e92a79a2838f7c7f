import type { RunnerLimits } from './runner-options.ts';

/** How much of the queue may be taken at this moment. */
export interface Share {
  readonly count: number;
  readonly bytes: number;
}

/** Taken at one time: several lines may be asked for at once. */
const MAX_LEASED_BYTES = 8 * 1024 * 1024;
/** The largest payload. */
const MAX_EVENT_BYTES = 1024 * 1024;

/**
 * What one gateway has room for: events that run, and those that the store may be about to give. Of bytes there may be as many as the limit and
 * one event more, as a lease has one event at least.
 */
export class Room {
  readonly #limits: Pick<RunnerLimits, 'maxRunning' | 'maxBytes'>;
  #running = 0;
  #bytes = 0;
  #asked = 0;
  #askedBytes = 0;

  constructor(limits: Pick<RunnerLimits, 'maxRunning' | 'maxBytes'>) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#count() <= 0 || this.#left() <= 0;
  }

  /** Takes room for `wanted` events or fewer, 0 when it is full. Give it back by `answered`. */
  ask(wanted: number): Share {
    const count = this.isFull ? 0 : Math.min(wanted, this.#count());
    const bytes = Math.min(count * MAX_EVENT_BYTES, MAX_LEASED_BYTES, this.#left());
    this.#asked += count;
    this.#askedBytes += count === 0 ? 0 : bytes;
    return { count, bytes };
  }

  /** The store has given what it gives of this; `begun` is to be called at once for each event. */
  answered({ count, bytes }: Share): void {
    this.#asked -= count;
    this.#askedBytes -= bytes;
  }

  begun(bytes: number): void {
    this.#running += 1;
    this.#bytes += bytes;
  }

  ended(bytes: number): void {
    this.#running -= 1;
    this.#bytes -= bytes;
  }

  #count(): number {
    return this.#limits.maxRunning - this.#running - this.#asked;
  }

  #left(): number {
    return this.#limits.maxBytes - this.#bytes - this.#askedBytes;
  }
}
