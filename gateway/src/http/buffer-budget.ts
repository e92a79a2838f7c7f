/**
 * Bytes of request bodies that the gateway holds at one time, from the first byte until the answer. Fails closed:
 * what does not fit is
 * refused, so that a burst of large bodies cannot take the process down.
 */
export class BufferBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;

  /** @param limitBytes > 0 */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** True when the bytes fit; then the caller gives them back. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
