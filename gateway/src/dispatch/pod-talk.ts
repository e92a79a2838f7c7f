import type { ClaimSink, LinkError, PodState } from '../link/link.ts';
import type { Call } from './call.ts';
import type { PodLink } from './pod-link.ts';
import type { PodLinkOwner } from './pod-link-owner.ts';
import type { PodClaim } from './pod-use.ts';
import type { PodWire } from './pod-wire.ts';
import { isAtWork, type Slot, slotsOfPod } from './slot.ts';

type PodSlot = Slot<PodLink, Call>;

/** What SPECIALIZE carries. */
export interface Packed {
  /** JSON text. */
  readonly head: string;
  readonly code: Buffer;
  /** In the order of the head. */
  readonly layers: readonly Buffer[];
}

const ignored = { onAdopted() {}, onRefused() {}, onLost() {} };

/** What this gateway and the agent of one pod say to each other: frames out, and what becomes of those that come in. */
export class PodTalk {
  readonly #pod: PodLink;
  readonly #wire: PodWire;
  readonly #owner: PodLinkOwner;
  #isClaimSent = false;
  /** Epoch of the ADOPT of the present slot that is not answered yet; null = none. */
  #askedEpoch: number | null = null;
  /** Where there are several slots: what ran last on each. A slot may have run something before it is the pod's present one. */
  readonly #ids = new WeakMap<PodSlot, string>();

  constructor(pod: PodLink, wire: PodWire, owner: PodLinkOwner) {
    this.#pod = pod;
    this.#wire = wire;
    this.#owner = owner;
  }

  /** SPECIALIZE for the present slot was written; before that a lost slot's request provably did not run. */
  get isClaimSent(): boolean {
    return this.#isClaimSent;
  }

  /** An ADOPT of the present slot is on its way. */
  get isAdopting(): boolean {
    return this.#askedEpoch !== null;
  }

  /** The pod has another slot: answers for the one before do not count. @param isClaimed the pod holds its version already */
  begin(isClaimed: boolean): void {
    this.#askedEpoch = null;
    this.#isClaimSent = isClaimed;
  }

  /** Writes SPECIALIZE with that epoch in its head, and INVOKE right behind when the slot has a request. False = nothing was written. */
  specialize(slot: PodSlot, epoch: number, { head, code, layers }: Packed): boolean {
    const { connection } = this.#wire;
    if (connection === null || !connection.isOpen) return false;
    this.#isClaimSent = true;
    const sink = this.#claimSink(slot, epoch);
    const call = slot.request;
    if (call === null) return connection.claim(head, code, sink, layers);
    call.sentTo(slot, 'cold');
    if (slot.mates !== null) this.#ids.set(slot, call.invocation.requestId);
    return connection.claimAndInvoke([head, code, sink, layers], [call.head(), call.invocation.event, call]);
  }

  /** Writes INVOKE for the slot's request. False = nothing was written. */
  run(slot: PodSlot): boolean {
    const { connection } = this.#wire;
    const call = slot.request;
    if (call === null || connection === null || !connection.isOpen) return false;
    call.sentTo(slot, 'warm');
    if (slot.mates !== null) this.#ids.set(slot, call.invocation.requestId);
    return connection.invoke(call.head(), call.invocation.event, call);
  }

  /** Asks to become the holder of what `slot` holds. False = nothing was written. */
  adopt(slot: PodSlot, epoch: number): boolean {
    const versionUid = slot.version.uid;
    // Only the answer to what was asked last counts: an older one may be refused because of it.
    const isLatest = () => this.#pod.slot === slot && this.#askedEpoch === epoch;
    const sink = {
      onAdopted: (busy: readonly string[]) => {
        if (!isLatest()) return;
        this.#askedEpoch = null;
        this.learn({ claim: { versionUid }, holder: this.#selfAt(epoch), busy });
        this.#pod.isTaken = false;
        this.#settleForeign(slot, busy);
        this.#owner.adoptEnded(this.#pod, slot, null);
      },
      onRefused: (error: LinkError) => {
        this.#owner.epochSeen(error.epoch);
        if (!isLatest()) return;
        this.#askedEpoch = null;
        this.#owner.adoptEnded(this.#pod, slot, error);
      },
      onLost: () => {},
    };
    if (this.#wire.connection?.adopt(versionUid, epoch, sink) !== true) return false;
    this.#askedEpoch = epoch;
    return true;
  }

  /**
   * Shuts out older claims of a function (namespace/name).
   * @param ended null = the pod is fenced; else why not: with StaleEpoch a higher epoch is needed
   * @returns false = nothing was written, `ended` is not called
   */
  fence(functionKey: string, epoch: number, ended: (refusal: LinkError | null) => void): boolean {
    const sink = {
      onFenced: (state: PodState) => {
        this.told(state);
        ended(null);
      },
      onRefused: (error: LinkError) => {
        this.#owner.epochSeen(error.epoch);
        ended(error);
      },
      onLost: ended,
    };
    return this.#wire.connection?.fence(functionKey, epoch, sink) === true;
  }

  /** Tells the agent to end. It does that for the holder of its pod only. */
  drain(reason: string): void {
    const { connection } = this.#wire;
    const { claim } = this.#pod;
    if (connection?.hasHolders && claim !== null && !this.#isOwn(claim))
      connection.adopt(claim.versionUid, this.#owner.nextEpoch(), ignored);
    connection?.drain(reason);
  }

  /** STATE, which is another gateway's doing; or FENCED. */
  told(state: PodState): void {
    const pod = this.#pod;
    const { use, slot } = pod;
    this.learn(state);
    if (use === 'condemned') return;
    if (pod.claim === null) {
      // A claim that had been told has failed: bad code.
      if (use === 'held' || use === 'orphan') pod.letSlotGo();
      return;
    }
    if (use === 'generic') {
      pod.use = 'none';
      this.#owner.notGeneric(pod);
      // Who has claimed it is about to run something there, owner or not: nobody takes it away from under that.
      pod.adoptAtMs = this.#owner.nowMs() + this.#owner.readoptMs;
    }
    if (use !== 'slot' || slot === null) this.#owner.claimed(pod);
    else this.#toldOfSlot(slot, pod.claim);
  }

  /** Keeps what the pod was told to be. */
  learn({ claim, holder, busy }: PodState): void {
    this.#owner.epochSeen(holder?.epoch);
    this.#pod.claim = claim === null ? null : { versionUid: claim.versionUid, holder, busy };
  }

  #toldOfSlot(slot: PodSlot, claim: PodClaim): void {
    const pod = this.#pod;
    if (this.#isOwn(claim)) {
      pod.isTaken = false;
      this.#settleForeign(slot, claim.busy, 'Foreign');
    } else if (!this.#isClaimSent) {
      pod.loseSlot('Another gateway has claimed the pod.');
      pod.letSlotGo();
      // What runs here ends here; a claim that was written is refused, or was taken over after it.
    } else if (slot.state === 'Claiming' || pod.slots.some(isAtWork)) {
      pod.isTaken = true;
      if (slot.mates !== null) this.#owner.partlyTaken(slot);
    }
    // While an ADOPT is on its way, its answer tells more.
    else if (!this.isAdopting) this.#owner.taken(slot);
  }

  /** As many slots are Foreign as there are invocations that do not answer here; the others are free. */
  #settleForeign(first: PodSlot, busy: readonly string[], only?: 'Foreign'): void {
    const slots = slotsOfPod(first);
    const own = new Set(slots.map((slot) => (isAtWork(slot) ? this.#ids.get(slot) : undefined)));
    let foreign = busy.filter((id) => !own.has(id)).length;
    for (const slot of slots) {
      if (slot.state !== 'Foreign' && (slot.state !== 'Adopting' || only !== undefined)) continue;
      if (foreign === 0) this.#owner.freed(slot);
      else foreign -= 1;
    }
  }

  #claimSink(slot: PodSlot, epoch: number): ClaimSink {
    const pod = this.#pod;
    return {
      onSpecialized: (_alreadyClaimed, initError) => {
        const holder = pod.hasHolders ? this.#selfAt(epoch) : null;
        const busy = slot.request === null ? [] : [slot.request.invocation.requestId];
        // Unless another gateway has adopted it since.
        if (!pod.isTaken) pod.claim = { versionUid: slot.version.uid, holder, busy };
        this.#owner.confirmed(slot, initError);
      },
      // With a request behind it, the request's own stream ends with the same error: one end per attempt.
      onRefused: (error) => {
        if (slot.state === 'Claiming') this.#owner.claimRefused(slot, error);
      },
      onLost: () => {},
    };
  }

  #selfAt(epoch: number): NonNullable<PodClaim['holder']> {
    return { gatewayId: this.#owner.identity.gatewayId, epoch };
  }

  #isOwn({ holder }: PodClaim): boolean {
    return holder?.gatewayId === this.#owner.identity.gatewayId;
  }
}
