import { ServiceException } from '../errors.ts';
import {
  type ClaimSink,
  type Connection,
  type DialBudget,
  dial,
  type Identity,
  LinkError,
  type Welcome,
} from '../link/link.ts';
import type { Call } from './call.ts';
import type { CorePod, Slot } from './slot.ts';
import type { PoolPod } from './types.ts';

/*
 * What this gateway uses a pool pod for.
 *
 *   use        | WELCOME Warm | WELCOME Claimed          | link lost           | informer: leaving or deleted
 *   none       | -> generic   | -> slot, or orphan when  | stays; dialled again| stays; not dialled any more
 *              |              | the version is unknown   |                     |
 *   generic    | -            | -                        | -> none             | -> none
 *   slot       | slot lost    | same version: busy or    | slot lost -> none;  | idle: slot lost, -> condemned;
 *              |              | free again; other: lost  | asking again: stays | busy: after its REPORT
 *   orphan     | -> generic   | -> slot when known by now| -> none             | stays
 *   condemned  | DRAIN again  | DRAIN again              | stays               | stays
 *
 * The pod is linked while the informer shows it ready. A link that could not be opened, or was lost, is dialled again
 * after a pause that doubles up to ten times its first value; a claimed pod's at once, the first time.
 */
export type PodUse = 'none' | 'generic' | 'slot' | 'orphan' | 'condemned';

/** Whom a pod link tells; and what it is opened with. */
export interface PodLinkOwner {
  readonly identity: Identity;
  readonly linkPort: number;
  readonly redialMs: number;
  nowMs(): number;
  after(delayMs: number, call: () => void): () => void;
  /** The pod is dialled; `dialled` follows. */
  dialling(pod: PodLink): void;
  /** The dial was answered or has failed, and `use` says what came of it. */
  dialled(pod: PodLink): void;
  /** The pod may be claimed; `use` is generic. */
  generic(pod: PodLink): void;
  /** The pod may not be claimed any more. */
  notGeneric(pod: PodLink): void;
  /** The pod holds a version already; the owner calls `hold` or leaves it an orphan. */
  claimed(pod: PodLink, versionUid: string, isBusy: boolean): void;
  /** A Foreign slot was asked again and is free. */
  freed(slot: Slot<PodLink, Call>): void;
  /** The slot's pod is lost; its streams have ended before. */
  slotLost(slot: Slot<PodLink, Call>, error: ServiceException, mayRetry: boolean): void;
  /** The agent holds the claim of `slot`. */
  confirmed(slot: Slot<PodLink, Call>): void;
  /** The claim of `slot`, which has no request behind it, was refused. */
  claimRefused(slot: Slot<PodLink, Call>, error: LinkError): void;
  /** The idle slot of a pod that is leaving. */
  leaving(slot: Slot<PodLink, Call>): void;
}

/** A first dial meets an agent that is just starting; a later one mostly a pod that is dead. */
const redialBudget: DialBudget = { budgetMs: 500, minPauseMs: 50, maxPauseMs: 200 };

/** One pool pod and the link to it. */
export class PodLink implements CorePod {
  readonly pool: string;
  /** As of the opening of the link, when the pod has a node; fixed while it is generic or a slot, which are counted by it. */
  zone: string;
  use: PodUse = 'none';
  /** Set while `use` is slot. */
  slot: Slot<PodLink, Call> | null = null;
  /** The agent has confirmed that it holds the slot's version. */
  isConfirmed = false;
  /** The version that an orphan holds. */
  versionUid = '';
  /** Since when it is an orphan. */
  orphanSinceMs = 0;
  /** As the informer shows it. */
  pod: PoolPod;
  readonly #owner: PodLinkOwner;
  /** Open, or null. */
  #connection: Connection | null = null;
  /** Ends the link or its dial; null when there is neither. */
  #hangUp: (() => void) | null = null;
  #redialAtMs = 0;
  #redialPauseMs: number;
  /** It has been reached once. */
  #wasOpen = false;
  /** SPECIALIZE for the present slot was written; before that a lost slot's request provably did not run. */
  #isClaimSent = false;
  /** The link is closed to ask a Foreign slot again. */
  #isAsking = false;
  #condemnReason = '';
  #isDeleted = false;

  constructor(pod: PoolPod, owner: PodLinkOwner) {
    this.pod = pod;
    this.pool = pod.pool;
    this.zone = pod.zone;
    this.#owner = owner;
    this.#redialPauseMs = owner.redialMs;
  }

  /** It takes no further invocation after the present one. */
  get isLeaving(): boolean {
    return this.#isDeleted || this.pod.terminating || this.use === 'condemned';
  }

  get isLinked(): boolean {
    return this.#connection !== null;
  }

  /** The informer has something new; null = deleted. */
  update(pod: PoolPod | null): void {
    if (pod === null) this.#isDeleted = true;
    else this.pod = pod;
    if (this.isLeaving) this.#leave();
    else this.dialIfDue();
  }

  /** To be called at each tick. */
  dialIfDue(): void {
    if (this.#hangUp !== null || !this.pod.ready || this.pod.ip === '' || this.#isDeleted || this.pod.terminating)
      return;
    if (this.#owner.nowMs() < this.#redialAtMs) return;
    const address = { host: this.pod.ip, port: this.#owner.linkPort, podUid: this.pod.uid };
    const clock = {
      nowMs: () => this.#owner.nowMs(),
      after: (delayMs: number, call: () => void) => this.#owner.after(delayMs, call),
    };
    const owner = {
      opened: (connection: Connection, welcome: Welcome) => {
        this.#onOpened(connection, welcome);
        this.#owner.dialled(this);
      },
      failed: (error: LinkError) => {
        this.#onFailed(error);
        this.#owner.dialled(this);
      },
      closed: (error: LinkError) => this.#onClosed(error),
    };
    this.#owner.dialling(this);
    this.#hangUp = dial(address, this.#owner.identity, clock, owner, this.#wasOpen ? redialBudget : undefined);
  }

  /** Writes SPECIALIZE, and INVOKE right behind when the slot has a request. False = nothing was written. */
  claim(slot: Slot<PodLink, Call>, head: string, code: Buffer): boolean {
    const connection = this.#connection;
    if (connection === null || !connection.isOpen) return false;
    this.#isClaimSent = true;
    const sink = this.#claimSink(slot);
    const call = slot.request;
    if (call === null) return connection.claim(head, code, sink);
    call.sentTo(slot, 'cold');
    return connection.claimAndInvoke([head, code, sink], [call.head(), call.invocation.event, call]);
  }

  /** Writes INVOKE for the slot's request. False = nothing was written. */
  run(slot: Slot<PodLink, Call>): boolean {
    const call = slot.request;
    if (call === null || this.#connection === null || !this.#connection.isOpen) return false;
    call.sentTo(slot, 'warm');
    return this.#connection.invoke(call.head(), call.invocation.event, call);
  }

  /** The pod becomes, or is, a slot. */
  hold(slot: Slot<PodLink, Call>, isConfirmed: boolean): void {
    this.use = 'slot';
    this.slot = slot;
    this.isConfirmed = isConfirmed;
    this.#isClaimSent = isConfirmed;
  }

  /** Nothing of a claim was sent: the pod is generic as before. */
  giveBack(): void {
    this.slot = null;
    this.use = this.#connection === null ? 'none' : 'generic';
    if (this.use === 'generic') this.#owner.generic(this);
  }

  /** The pod is not wanted any more: it takes nothing new, finishes what runs and ends. */
  condemn(reason: string): void {
    if (this.use === 'generic') this.#owner.notGeneric(this);
    this.use = 'condemned';
    this.slot = null;
    this.#condemnReason = reason;
    this.#connection?.drain(reason);
  }

  /** It refused a SPECIALIZE or an INVOKE; its slot has been given up. */
  refused(error: LinkError): void {
    if (error.code === 'Draining') this.condemn(error.message);
    else if (error.code === 'StaleEpoch') this.letGo();
    else this.relink();
  }

  /** Opens the link anew, because WELCOME says what the pod is. */
  relink(): void {
    this.#redialAtMs = 0;
    this.#hangUp?.();
    this.dialIfDue();
  }

  /** Asks a pod with a Foreign slot whether it is free by now. */
  askAgain(): void {
    if (this.#connection === null || this.slot?.state !== 'Foreign') return;
    this.#isAsking = true;
    this.relink();
    // Not dialled again (not ready, leaving): nothing will come of the question.
    if (this.#hangUp === null) this.#onFailed(new LinkError('Unreachable', 'the pod is not ready'));
  }

  heartbeat(): void {
    this.#connection?.tick();
  }

  /** Lets go of the pod without a word to it: it lives on, another gateway may adopt it. */
  letGo(): void {
    this.#isDeleted = true;
    this.#hangUp?.();
  }

  #leave(): void {
    if (this.use === 'generic') {
      this.use = 'none';
      this.#owner.notGeneric(this);
    } else if (this.slot?.state === 'Idle') this.#owner.leaving(this.slot);
    // A busy pod keeps its link until its REPORT, even when its object is gone: the process may still be at work.
    const isBusy = this.slot !== null && this.slot.state !== 'Foreign';
    if (this.#isDeleted && !isBusy) this.#hangUp?.();
  }

  #onOpened(connection: Connection, welcome: Welcome): void {
    this.#connection = connection;
    this.#wasOpen = true;
    this.#redialPauseMs = this.#owner.redialMs;
    const isAsked = this.#isAsking;
    this.#isAsking = false;
    if (this.use === 'condemned') {
      connection.drain(this.#condemnReason);
      return;
    }
    const versionUid = welcome.claim?.versionUid ?? null;
    const { slot } = this;
    if (slot === null) this.zone = this.pod.zone;
    if (isAsked && slot !== null && slot.version.uid === versionUid) {
      if (welcome.busy.length === 0) this.#owner.freed(slot);
      return;
    }
    if (slot !== null) this.#loseSlot('The pod belongs to another version.');
    if (versionUid !== null) this.#owner.claimed(this, versionUid, welcome.busy.length > 0);
    else {
      this.use = 'generic';
      this.#owner.generic(this);
    }
  }

  #onFailed(error: LinkError): void {
    this.#hangUp = null;
    this.#isAsking = false;
    this.#loseUse(error);
    this.#redialAtMs = this.#owner.nowMs() + this.#redialPauseMs;
    this.#redialPauseMs = Math.min(this.#redialPauseMs * 2, this.#owner.redialMs * 10);
  }

  #onClosed(error: LinkError): void {
    this.#connection = null;
    this.#hangUp = null;
    if (this.#isAsking) return;
    if (this.use !== 'slot') this.#redialAtMs = this.#owner.nowMs() + this.#redialPauseMs;
    this.#loseUse(error);
  }

  #loseUse(error: LinkError): void {
    const { use } = this;
    if (use !== 'condemned') this.use = 'none';
    if (use === 'generic') this.#owner.notGeneric(this);
    this.#loseSlot(`The link to the pod was lost (${error.message}).`);
  }

  #loseSlot(message: string): void {
    const { slot } = this;
    this.slot = null;
    if (slot === null || slot.state === 'Gone') return;
    this.#owner.slotLost(slot, new ServiceException(message), !this.#isClaimSent);
  }

  #claimSink(slot: Slot<PodLink, Call>): ClaimSink {
    return {
      onSpecialized: () => this.#owner.confirmed(slot),
      // With a request behind it, the request's own stream ends with the same error: one end per attempt.
      onRefused: (error) => {
        if (slot.state === 'Claiming') this.#owner.claimRefused(slot, error);
      },
      onLost: () => {},
    };
  }
}
