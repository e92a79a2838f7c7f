import { type Address, Connection, type PodConnection } from './connection.ts';
import type { Identity } from './handshake.ts';
import { LinkError } from './link-error.ts';
import type { LogLines, PodState, Welcome } from './messages.ts';

/** Time, handed in. */
export interface Clock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Calls back once, later; the answer cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
}

/** How long a dial may take. */
export interface DialBudget {
  /** From the first try until the link is open, retries included. */
  readonly budgetMs: number;
  /** Pause before the second try; grows to `maxPauseMs`. */
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
}

/** A pod whose agent is just starting refuses connections for some milliseconds: 5..20 ms steps find it quickly. */
export const defaultDialBudget: DialBudget = { budgetMs: 2000, minPauseMs: 5, maxPauseMs: 20 };

/** Whom a dial tells how it ends: exactly one of `opened` and `failed`; the others only after `opened`. */
export interface DialOwner {
  opened(connection: PodConnection, welcome: Welcome): void;
  /** @see ConnectionOwner */
  stateChanged(state: PodState): void;
  /** @see ConnectionOwner */
  logged?(lines: LogLines): void;
  failed(error: LinkError): void;
  closed(error: LinkError): void;
}

/**
 * Opens and authenticates a link, trying again within a budget while the pod does not accept connections.
 * A fatal refusal (wrong pod, bad signature, stale epoch, protocol) ends it at once.
 * @returns ends the dial, or closes the link that it became; `failed` or `closed` is told
 */
export function dial(
  address: Address,
  identity: Identity,
  clock: Clock,
  owner: DialOwner,
  budget = defaultDialBudget,
): () => void {
  const attempt = new Dial(address, identity, clock, owner, budget);
  attempt.start();
  return () => attempt.cancel();
}

class Dial {
  readonly #address: Address;
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #owner: DialOwner;
  readonly #budget: DialBudget;
  /** The newest try; null between tries and before the first. */
  #connection: Connection | null = null;
  #isOpen = false;
  /** `failed` or `closed` has been told. */
  #isOver = false;
  #pauseMs: number;
  #cancelPause: () => void = () => {};
  #cancelDeadline: () => void = () => {};

  constructor(address: Address, identity: Identity, clock: Clock, owner: DialOwner, budget: DialBudget) {
    this.#address = address;
    this.#identity = identity;
    this.#clock = clock;
    this.#owner = owner;
    this.#budget = budget;
    this.#pauseMs = budget.minPauseMs;
  }

  start(): void {
    const { host, port, podUid } = this.#address;
    const outOfTime = () => {
      const code = this.#connection === null ? 'Unreachable' : 'NoAnswer';
      this.#stop(new LinkError(code, `no link to pod ${podUid} at ${host}:${port} in ${this.#budget.budgetMs} ms`));
    };
    this.#cancelDeadline = this.#clock.after(this.#budget.budgetMs, outOfTime);
    this.#try();
  }

  cancel(): void {
    this.#stop(new LinkError('Closed', `link to pod ${this.#address.podUid} was let go`));
  }

  #try(): void {
    const connection = new Connection(this.#address, this.#identity, {
      opened: (welcome) => {
        this.#isOpen = true;
        this.#cancelDeadline();
        this.#owner.opened(connection, welcome);
      },
      stateChanged: (state) => this.#owner.stateChanged(state),
      logged: (lines) => this.#owner.logged?.(lines),
      closed: (error) => this.#onClosed(error),
    });
    this.#connection = connection;
  }

  #onClosed(error: LinkError): void {
    this.#connection = null;
    if (this.#isOver) return;
    if (this.#isOpen || error.isFatal) {
      this.#stop(error);
      return;
    }
    this.#cancelPause = this.#clock.after(this.#pauseMs, () => this.#try());
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#budget.maxPauseMs);
  }

  #stop(error: LinkError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelPause();
    this.#cancelDeadline();
    this.#connection?.close(error);
    if (this.#isOpen) this.#owner.closed(error);
    else this.#owner.failed(error);
  }
}
