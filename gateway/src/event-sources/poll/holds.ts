import type { QueueMessage } from '../record.ts';
import { nextHoldMs } from './plan-messages.ts';

/** Messages that are here and must not be given to others meanwhile. Pure but for its own list: time is handed in, the source is called by who asks. */
export class Holds {
  readonly #holdMs: number | null;
  /** When each has to be held again, by the monotonic clock. */
  readonly #nextMs = new Map<QueueMessage, number>();

  /** @param holdMs of the source; null = it keeps messages by itself, and nothing is ever due */
  constructor(holdMs: number | null) {
    this.#holdMs = holdMs;
  }

  get size(): number {
    return this.#nextMs.size;
  }

  /** They were received, or held, just now. */
  keep(messages: readonly QueueMessage[], nowMs: number): void {
    const nextMs = nextHoldMs(nowMs, this.#holdMs);
    if (nextMs !== null) for (const message of messages) this.#nextMs.set(message, nextMs);
  }

  /** They are settled, or about to be. */
  drop(messages: readonly QueueMessage[]): void {
    for (const message of messages) this.#nextMs.delete(message);
  }

  /** Those that have to be held again now. */
  due(nowMs: number): readonly QueueMessage[] {
    return [...this.#nextMs].filter(([, nextMs]) => nextMs <= nowMs).map(([message]) => message);
  }

  /** Whether it still is here: it may have been settled while the source was told to hold it. */
  has(message: QueueMessage): boolean {
    return this.#nextMs.has(message);
  }
}
