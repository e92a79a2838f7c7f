import type { QueueMessage } from '../record.ts';
import type { OpenQueue, QueueAction } from '../source.ts';
import { toSourceProblem } from '../source-problem.ts';
import { Holds } from './holds.ts';
import type { PollerClock, PollerObserver } from './poller.ts';

/** How often it is looked whether messages have to be held again. */
const HOLD_LOOK_MS = 500;
const MAX_TRIES = 3;
const PAUSE_MS = 500;

export interface SettlerDeps {
  readonly source: OpenQueue;
  readonly clock: PollerClock;
  readonly observer: Pick<PollerObserver, 'deleted' | 'problem'>;
  /** Nothing is settled or held any more. */
  readonly signal: AbortSignal;
}

/** Settles messages of a queue, and keeps them from others until then. */
export class Settler {
  readonly #deps: SettlerDeps;
  readonly #holds: Holds;

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
    this.#holds = new Holds(deps.source.holdMs);
    if (deps.source.holdMs !== null) void this.#keepHeld().catch(() => undefined); // ends with the signal
  }

  /** They were received just now. */
  keep(messages: readonly QueueMessage[]): void {
    this.#holds.keep(messages, this.#deps.clock.nowMs());
  }

  /** They come back by the source's rules, whatever happened to them here. */
  letGo(messages: readonly QueueMessage[]): void {
    this.#holds.drop(messages);
  }

  /** Never rejects: what could not be settled in three tries comes back by the source's rules, and runs again. */
  async settle(messages: readonly QueueMessage[], action: QueueAction): Promise<void> {
    const { source, clock, observer, signal } = this.#deps;
    this.#holds.drop(messages);
    let left = messages;
    for (let tries = 0; left.length > 0 && tries < MAX_TRIES && !signal.aborted; tries += 1) {
      if (tries > 0) await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
      const all = left;
      left = await source.settle(all, action).catch((err: unknown) => {
        observer.problem(toSourceProblem(err));
        return all;
      });
    }
    if (action === 'delete') observer.deleted(messages.length - left.length);
  }

  async #keepHeld(): Promise<void> {
    const { source, clock, signal } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(HOLD_LOOK_MS, signal);
      const due = this.#holds.due(clock.nowMs());
      if (due.length === 0) continue;
      const failed = await source.settle(due, 'hold').catch(() => due); // tried again at the next look: half of the time is left
      this.keep(due.filter((message) => !failed.includes(message) && this.#holds.has(message)));
    }
  }
}
