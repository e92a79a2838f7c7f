import { RequestAbandoned } from '../errors.ts';
import type { Census } from './census.ts';
import type { CoreEffects, Loss } from './effects.ts';
import type { Gate } from './gate.ts';
import { NotOwner } from './ownership.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** How requests that wait for a pod end without one, or wait again. */
export class Waiting<P extends CorePod, R extends CoreRequest> {
  readonly #census: Census<P, R>;
  readonly #gate: Pick<Gate<P, R>, 'isUnowned'>;
  readonly #effects: Pick<CoreEffects<P, R>, 'fail'>;
  readonly #maxAttempts: number;

  /** @param maxAttempts pods that a request is given to in all */
  constructor(
    census: Census<P, R>,
    gate: Pick<Gate<P, R>, 'isUnowned'>,
    effects: Pick<CoreEffects<P, R>, 'fail'>,
    maxAttempts: number,
  ) {
    this.#census = census;
    this.#gate = gate;
    this.#effects = effects;
    this.#maxAttempts = maxAttempts;
  }

  /** The oldest one of the version leaves the queue; `settle` must answer it. False = none waits. */
  end(version: VersionState<P, R>, settle: (request: R) => void): boolean {
    const request = this.#census.dequeued(version);
    if (request === undefined) return false;
    this.#census.left(version);
    settle(request);
    return true;
  }

  /** The head of the queue is then a request that somebody waits for, or the queue is empty. */
  dropAbandoned(version: VersionState<P, R>): void {
    while (version.queue.peek()?.isAbandoned())
      this.end(version, (request) => this.#effects.fail(request, new RequestAbandoned()));
  }

  /** Nobody waits here for a function whose term has been lost. */
  dropUnowned(version: VersionState<P, R>): void {
    if (version.queue.length === 0 || !this.#gate.isUnowned(version.owner)) return;
    const error = new NotOwner(version.owner.key);
    while (this.end(version, (request) => this.#effects.fail(request, error)));
  }

  /** A request whose pod was lost waits again if it provably did not run, else it fails. */
  retryOrFail(version: VersionState<P, R>, request: R, loss: Loss): void {
    if (loss.mayRetry && request.attempts < this.#maxAttempts) {
      this.#census.requeued(version, request);
      return;
    }
    this.#census.left(version);
    this.#effects.fail(request, loss.error);
  }
}
