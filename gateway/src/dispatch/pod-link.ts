import { ServiceException } from '../errors.ts';
import { LinkError, type Welcome } from '../link/link.ts';
import type { Call } from './call.ts';
import type { PodLinkOwner } from './pod-link-owner.ts';
import { type Packed, PodTalk } from './pod-talk.ts';
import type { PodClaim, PodUse } from './pod-use.ts';
import { PodWire } from './pod-wire.ts';
import { type CorePod, isAtWork, runningIn, type Slot, slotsOfPod } from './slot.ts';
import type { PoolPod } from './types.ts';

/**
 * One pool pod and the link to it: what the pod is used for, while links come and go. What is said over the link, and heard, is
 * {@link PodTalk}'s; when it is dialled again is {@link PodWire}'s.
 */
export class PodLink implements CorePod {
  readonly pool: string;
  readonly preference: number;
  /** As of the opening of the link, when the pod has a node; fixed while it is generic or a slot, which are counted by it. */
  zone: string;
  use: PodUse = 'none';
  isSuspect = false;
  /** What it was told to hold, last; null = generic, or never told. */
  claim: PodClaim | null = null;
  /** Set while `use` is slot; of several the first one. A condemned pod keeps one while something runs in another one. */
  slot: Slot<PodLink, Call> | null = null;
  /** Slots that were lost with the link while they may have run something; still counted. */
  ghosts: readonly Slot<PodLink, Call>[] = [];
  /** As its agent said last; until then what counts most. */
  takesSeveral = true;
  /** The agent has confirmed that it holds the slot's version. */
  isConfirmed = false;
  /** Another gateway holds it by now, while this one's invocation still runs. */
  isTaken = false;
  /** Since when it is an orphan. */
  orphanSinceMs = 0;
  /** A held pod is not adopted before that time: two gateways that see different rings must not snatch it from each other for ever. */
  adoptAtMs = 0;
  /** As the informer shows it. */
  pod: PoolPod;
  readonly #owner: PodLinkOwner;
  readonly #wire: PodWire;
  readonly #talk: PodTalk;
  /** The link is closed to ask a Foreign slot again (protocol 1). */
  #isAsking = false;
  #condemnReason = '';
  #isDeleted = false;

  /** @param preference see CorePod */
  constructor(pod: PoolPod, owner: PodLinkOwner, preference: number) {
    this.pod = pod;
    this.pool = pod.pool;
    this.zone = pod.zone;
    this.preference = preference;
    this.#owner = owner;
    this.#wire = new PodWire(owner, {
      dialling: () => owner.dialling(this),
      opened: (_connection, welcome) => {
        this.#onOpened(welcome);
        owner.dialled(this);
      },
      stateChanged: (state) => this.#talk.told(state),
      logged: (lines) => owner.logged(this, lines),
      failed: (error) => {
        this.#onFailed(error);
        owner.dialled(this);
      },
      closed: (error) => this.#onClosed(error),
    });
    this.#talk = new PodTalk(this, this.#wire, owner);
  }

  /** It takes no further invocation after the present one. */
  get isLeaving(): boolean {
    return this.#isDeleted || this.pod.terminating || this.use === 'condemned';
  }

  /** Nothing can run there any more. Without a word about its phase, one that is going away counts as ended. */
  get hasEnded(): boolean {
    return this.#isDeleted || (this.pod.isOver ?? this.pod.terminating);
  }

  get isLinked(): boolean {
    return this.#wire.connection !== null;
  }

  /** All of them; none while `slot` is null. */
  get slots(): readonly Slot<PodLink, Call>[] {
    return this.slot === null ? [] : slotsOfPod(this.slot);
  }

  /** Its agent knows holders, adoption and fences. */
  get hasHolders(): boolean {
    return this.#wire.connection?.hasHolders === true;
  }

  /** The informer has something new; null = deleted. */
  update(pod: PoolPod | null): void {
    if (pod === null) this.#isDeleted = true;
    else this.pod = pod;
    if (this.hasEnded) this.endGhosts();
    if (this.isLeaving) this.#leave();
    else this.dialIfDue();
  }

  /** To be called at each tick. */
  dialIfDue(): void {
    if (this.pod.ready && this.pod.ip !== '' && !this.#isDeleted && !this.pod.terminating)
      this.#wire.dialIfDue(this.pod);
  }

  /** @see PodTalk.specialize */
  specialize(slot: Slot<PodLink, Call>, epoch: number, packed: Packed): boolean {
    return this.#talk.specialize(slot, epoch, packed);
  }

  /** @see PodTalk.run */
  run(slot: Slot<PodLink, Call>): boolean {
    return this.#talk.run(slot);
  }

  /** @see PodTalk.adopt */
  adopt(slot: Slot<PodLink, Call>, epoch: number): boolean {
    return this.#talk.adopt(slot, epoch);
  }

  /** @see PodTalk.fence */
  fence(functionKey: string, epoch: number, ended: (refusal: LinkError | null) => void): boolean {
    return this.#talk.fence(functionKey, epoch, ended);
  }

  /** Its agent takes layers with SPECIALIZE. */
  get knowsLayers(): boolean {
    return this.#wire.connection?.knowsLayers === true;
  }

  /** The pod becomes, or is, a slot. */
  hold(slot: Slot<PodLink, Call>, isConfirmed: boolean): void {
    this.use = 'slot';
    this.slot = slot;
    this.isTaken = false;
    this.isConfirmed = isConfirmed;
    this.#talk.begin(isConfirmed);
  }

  /** The slot was given up and nothing of it is left: what the pod is was told before. */
  letSlotGo(): void {
    this.slot = null;
    if (this.use === 'condemned') return;
    this.use = 'none';
    if (!this.isLinked) return;
    if (this.claim !== null) this.#owner.claimed(this);
    else {
      this.use = 'generic';
      this.#owner.generic(this);
    }
  }

  /** The pod is not wanted any more: it takes nothing new, finishes what runs and ends. */
  condemn(reason: string): void {
    if (this.use === 'generic') this.#owner.notGeneric(this);
    this.use = 'condemned';
    this.slot = this.slot?.mates?.find(({ state }) => state !== 'Lost' && runningIn(state) > 0) ?? null;
    this.#condemnReason = reason;
    this.#talk.drain(this.#condemnReason);
  }

  /** It refused a SPECIALIZE or an INVOKE; its slot has been given up. */
  refused(error: LinkError): void {
    this.#owner.epochSeen(error.epoch);
    const { claim } = this;
    const isAnothers = claim?.holder != null && claim.holder.gatewayId !== this.#owner.identity.gatewayId;
    if (this.slot?.mates?.some(isAtWork)) {
      // What else runs there goes on: it ends here, and then the pod is another's, or no more.
      if (isAnothers) this.isTaken = true;
      else this.condemn(error.message);
    } else if (error.code === 'Draining') this.condemn(error.message);
    else if (error.code === 'StaleEpoch' && !this.hasHolders) this.letGo();
    // STATE has told whose it is; a claim that was only too old leaves the pod as it was.
    else if (isAnothers || (error.code === 'StaleEpoch' && claim === null)) this.letSlotGo();
    else this.relink();
  }

  /** Opens the link anew, because WELCOME says what the pod is. */
  relink(): void {
    this.#wire.hangUp();
    this.dialIfDue();
  }

  /** Asks a pod with a Foreign slot whether it is free by now. */
  askAgain(): void {
    const { slot, claim } = this;
    if (!this.isLinked || slot === null || !this.slots.some(({ state }) => state === 'Foreign')) return;
    if (claim?.holder != null) {
      if (!this.#talk.isAdopting) this.adopt(slot, claim.holder.epoch);
      return;
    }
    this.#isAsking = true;
    this.relink();
    // Not dialled again (not ready, leaving): nothing will come of the question.
    if (!this.#wire.isBusy) this.#onFailed(new LinkError('Unreachable', 'the pod is not ready'));
  }

  /** @see Connection.beat */
  beat(): 'well' | 'suspect' | 'lost' {
    return this.#wire.connection?.beat() ?? 'well';
  }

  suspect(isSuspect: boolean): void {
    if (this.isSuspect === isSuspect) return;
    this.isSuspect = isSuspect;
    this.#owner.suspected(this);
  }

  /** It answered no heartbeat: its slot is lost, the link is opened anew. */
  giveUp(): void {
    this.#wire.giveUp(new LinkError('Lost', `pod ${this.pod.uid} answered no PING`));
  }

  /** Lets go of the pod without a word to it: it lives on, another gateway may adopt it. */
  letGo(): void {
    this.#isDeleted = true;
    this.#wire.hangUp();
  }

  /** Gives up its slot, whose request is tried again when it provably did not run. */
  loseSlot(message: string): void {
    const { slots } = this;
    this.slot = null;
    for (const slot of slots) {
      if (slot.state === 'Gone' || slot.state === 'Lost') continue;
      this.#owner.slotLost(slot, new ServiceException(message), !this.#talk.isClaimSent);
    }
  }

  /** The Lost slots are no more: the pod was seen again, or has ended. */
  endGhosts(): void {
    const { ghosts } = this;
    this.ghosts = [];
    for (const ghost of ghosts) this.#owner.found(ghost);
  }

  #leave(): void {
    if (this.use === 'generic') {
      this.use = 'none';
      this.#owner.notGeneric(this);
    } else {
      const idle = this.slots.find(({ state }) => state === 'Idle');
      if (idle !== undefined) this.#owner.leaving(idle);
    }
    // A busy pod keeps its link until its REPORT, even when its object is gone: the process may still be at work.
    const isBusy = this.slots.some(({ state, mates }) => state !== 'Foreign' && (mates === null || state !== 'Gone'));
    if (this.#isDeleted && !isBusy) this.#wire.hangUp();
  }

  #onOpened(welcome: Welcome): void {
    const isAsked = this.#isAsking;
    this.#isAsking = false;
    this.isSuspect = false;
    this.takesSeveral = this.#wire.connection?.takesSeveral === true;
    this.#talk.learn(welcome);
    if (this.use === 'condemned') {
      this.#talk.drain(this.#condemnReason);
      return;
    }
    const { slot } = this;
    if (slot === null && this.ghosts.length === 0) this.zone = this.pod.zone;
    if (isAsked && slot !== null && slot.version.uid === welcome.claim?.versionUid) {
      if (welcome.busy.length === 0) this.#owner.freed(slot);
      return;
    }
    if (slot !== null) this.loseSlot('The pod belongs to another version.');
    this.letSlotGo();
    this.endGhosts();
  }

  #onFailed(error: LinkError): void {
    this.#isAsking = false;
    if (error.code === 'WrongPod') this.endGhosts();
    this.#loseUse(error);
  }

  #onClosed(error: LinkError): void {
    if (this.#isAsking) return;
    if (this.use !== 'slot') this.#wire.pause();
    this.#loseUse(error);
  }

  #loseUse(error: LinkError): void {
    const { use } = this;
    if (use !== 'condemned') this.use = 'none';
    if (use === 'generic') this.#owner.notGeneric(this);
    this.loseSlot(`The link to the pod was lost (${error.message}).`);
    this.isSuspect = false;
  }
}
