import type { DispatchCore } from './core.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** A request that can be served elsewhere, too. */
export interface OfferedRequest extends CoreRequest {
  /** It waited for an offer when this gateway ended. */
  shutDown(): void;
}

/**
 * Offers requests that wait here to the idle pods of the function's other owners: when they came in those were all busy, but since then
 * one may have become idle, and this gateway may have no pod at all to wait for; or it was the only owner then, as one that has just
 * started may think, and is one of several now. The oldest request of each version is offered, one at a
 * time; when it was taken the next one is at once, else it waits on in its place.
 */
export class Offers<P extends CorePod, R extends OfferedRequest> {
  readonly #core: DispatchCore<P, R>;
  readonly #ask: (request: R) => Promise<boolean>;
  readonly #nowMs: () => number;
  /** A request waits so long before it is offered. */
  readonly #afterMs: number;
  #isStopped = false;

  /**
   * @param ask asks the other owners of the function for an idle pod. True = the request has its answer, or its error; false = none of
   * them has one, and it did not run. Never rejects.
   */
  constructor(core: DispatchCore<P, R>, ask: (request: R) => Promise<boolean>, nowMs: () => number, afterMs: number) {
    this.#core = core;
    this.#ask = ask;
    this.#nowMs = nowMs;
    this.#afterMs = afterMs;
  }

  /** To be called at each tick. */
  tick(): void {
    for (const version of [...this.#core.census.versions()]) this.#offer(version);
  }

  /** What is offered now and not taken fails. */
  stop(): void {
    this.#isStopped = true;
  }

  #offer(version: VersionState<P, R>): void {
    const oldest = version.queue.peek();
    if (version.isOffering || oldest === undefined || this.#isStopped) return;
    if (this.#nowMs() - oldest.arrivedMs < this.#afterMs || !this.#core.gate.isShared(version)) return;
    const { census } = this.#core;
    census.dequeued(version);
    version.isOffering = true;
    void this.#ask(oldest).then((isSettled) => {
      version.isOffering = false;
      if (isSettled || this.#isStopped) {
        census.left(version);
        if (!isSettled) oldest.shutDown();
        this.#offer(version);
      } else census.requeued(version, oldest);
      this.#core.advance(version);
    });
  }
}
