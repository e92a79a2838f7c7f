import type { DialBudget, DialOwner, dial, Identity, LinkError, PodConnection } from '../link/link.ts';
import type { PoolPod } from './types.ts';

/** What links are opened with. */
export interface WireTools {
  readonly identity: Identity;
  readonly linkPort: number;
  /** First pause before a pod that could not be reached is dialled again. */
  readonly redialMs: number;
  readonly dial: typeof dial;
  nowMs(): number;
  after(delayMs: number, call: () => void): () => void;
}

/** Whom a wire tells: that it dials, and then what a dial tells. */
export interface WireOwner extends DialOwner {
  dialling(): void;
}

/** A first dial meets an agent that is just starting; a later one mostly a pod that is dead. */
const redialBudget: DialBudget = { budgetMs: 500, minPauseMs: 50, maxPauseMs: 200 };

/**
 * The link to one pod, opened again and again. After a dial that failed the next one waits for a pause that doubles up to ten times
 * its first value; after a link that was lost there is none, the first time, when `mayHurry`.
 */
export class PodWire {
  readonly #tools: WireTools;
  readonly #owner: WireOwner;
  /** Open, or null. */
  #connection: PodConnection | null = null;
  /** Ends the link or its dial; null when there is neither. */
  #hangUp: (() => void) | null = null;
  #redialAtMs = 0;
  #redialPauseMs: number;
  /** It has been open once. */
  #wasOpen = false;

  constructor(tools: WireTools, owner: WireOwner) {
    this.#tools = tools;
    this.#owner = owner;
    this.#redialPauseMs = tools.redialMs;
  }

  /** Open, or null. */
  get connection(): PodConnection | null {
    return this.#connection;
  }

  /** There is a link or a dial. */
  get isBusy(): boolean {
    return this.#hangUp !== null;
  }

  /** Dials, unless there is a link or a dial, or the pause is not over. */
  dialIfDue(pod: PoolPod): void {
    if (this.#hangUp !== null || this.#tools.nowMs() < this.#redialAtMs) return;
    const { identity, linkPort } = this.#tools;
    const clock = {
      nowMs: () => this.#tools.nowMs(),
      after: (delayMs: number, call: () => void) => this.#tools.after(delayMs, call),
    };
    const owner: DialOwner = {
      opened: (connection, welcome) => {
        this.#connection = connection;
        this.#wasOpen = true;
        this.#redialPauseMs = this.#tools.redialMs;
        this.#owner.opened(connection, welcome);
      },
      stateChanged: (state) => this.#owner.stateChanged(state),
      logged: (lines) => this.#owner.logged?.(lines),
      failed: (error) => {
        this.#hangUp = null;
        this.#owner.failed(error);
        this.#redialAtMs = this.#tools.nowMs() + this.#redialPauseMs;
        this.#redialPauseMs = Math.min(this.#redialPauseMs * 2, this.#tools.redialMs * 10);
      },
      closed: (error) => this.#onClosed(error),
    };
    this.#owner.dialling();
    const address = { host: pod.ip, port: linkPort, podUid: pod.uid };
    this.#hangUp = this.#tools.dial(address, identity, clock, owner, this.#wasOpen ? redialBudget : undefined);
  }

  /** The next dial waits as after a failed one. */
  pause(): void {
    this.#redialAtMs = this.#tools.nowMs() + this.#redialPauseMs;
  }

  /** Closes what there is; the next dial need not wait. */
  hangUp(): void {
    this.#redialAtMs = 0;
    this.#hangUp?.();
  }

  /** The pod is lost: closes the link with that reason. */
  giveUp(error: LinkError): void {
    this.#connection?.close(error);
  }

  #onClosed(error: LinkError): void {
    this.#connection = null;
    this.#hangUp = null;
    this.#owner.closed(error);
  }
}
