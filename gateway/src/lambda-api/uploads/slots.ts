import { LambdaError } from '../../errors.ts';

/** Bounds of {@link Slots}. */
export interface SlotsOptions {
  /** Who may be in at one time. */
  readonly atOnce: number;
  /** Who may wait. */
  readonly maxWaiting: number;
  /** How long, milliseconds. */
  readonly waitMs: number;
  /** Calls back once, later; the answer cancels it. */
  readonly schedule: (ms: number, then: () => void) => () => void;
}

/** Lets in so many at a time, in the order of asking; the next few wait for a while, and all others are refused. */
export class Slots {
  readonly #options: SlotsOptions;
  #inside = 0;
  /** In the order of asking. */
  readonly #waiting = new Set<() => void>();

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the caller may go in, with what lets the next one in; calling that more than once is harmless.
   *
   * @throws LambdaError TooManyRequestsException
   */
  async take(): Promise<() => void> {
    const { atOnce, maxWaiting } = this.#options;
    if (this.#inside < atOnce) this.#inside += 1;
    else if (this.#waiting.size < maxWaiting) await this.#wait();
    else throw tooMany();
    return this.#leaver();
  }

  /** Whoever leaves hands its place on. */
  #wait(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = (): void => {
      cancel();
      resolve();
    };
    const cancel = this.#options.schedule(this.#options.waitMs, () => {
      if (this.#waiting.delete(enter)) reject(tooMany());
    });
    this.#waiting.add(enter);
    return promise;
  }

  #leaver(): () => void {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const [next] = this.#waiting;
      if (next === undefined) this.#inside -= 1;
      else {
        this.#waiting.delete(next);
        next();
      }
    };
  }
}

function tooMany(): LambdaError {
  return new LambdaError('TooManyRequestsException', 'Too many packages are being uploaded at the same time.', {
    status: 429,
    fault: 'caller',
    reason: 'CallerRateLimitExceeded',
    retryAfterSeconds: 5,
  });
}
