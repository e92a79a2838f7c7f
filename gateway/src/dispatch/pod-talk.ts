import type { ClaimSink, LinkError, PodConnection, PodState } from '../link/link.ts';
import type { Call } from './call.ts';
import type { PodLink } from './pod-link.ts';
import type { PodLinkOwner } from './pod-link-owner.ts';
import type { Slot } from './slot.ts';

const ignored = { onAdopted() {}, onRefused() {}, onLost() {} };

/** What this gateway says to the agent of one pod, and what becomes of the answers. */
export class PodTalk {
  readonly #pod: PodLink;
  readonly #owner: PodLinkOwner;
  /** Epoch of the ADOPT of the present slot that is not answered yet; null = none. */
  #askedEpoch: number | null = null;

  constructor(pod: PodLink, owner: PodLinkOwner) {
    this.#pod = pod;
    this.#owner = owner;
  }

  /** An ADOPT of the present slot is on its way. */
  get isAdopting(): boolean {
    return this.#askedEpoch !== null;
  }

  /** The pod has another slot: answers for the one before do not count. */
  forget(): void {
    this.#askedEpoch = null;
  }

  /** @see PodLink.specialize */
  specialize(
    connection: PodConnection,
    slot: Slot<PodLink, Call>,
    epoch: number,
    [head, code]: readonly [head: string, code: Buffer],
  ): boolean {
    const sink = this.#claimSink(slot, epoch);
    const call = slot.request;
    if (call === null) return connection.claim(head, code, sink);
    call.sentTo(slot, 'cold');
    return connection.claimAndInvoke([head, code, sink], [call.head(), call.invocation.event, call]);
  }

  /** @see PodLink.run */
  run(connection: PodConnection | null, slot: Slot<PodLink, Call>): boolean {
    const call = slot.request;
    if (call === null || connection === null || !connection.isOpen) return false;
    call.sentTo(slot, 'warm');
    return connection.invoke(call.head(), call.invocation.event, call);
  }

  /** Asks to become the holder of what `slot` holds. False = nothing was written. */
  adopt(connection: PodConnection | null, slot: Slot<PodLink, Call>, epoch: number): boolean {
    const versionUid = slot.version.uid;
    // Only the answer to what was asked last counts: an older one may be refused because of it.
    const isLatest = () => this.#pod.slot === slot && this.#askedEpoch === epoch;
    const sink = {
      onAdopted: (busy: readonly string[]) => {
        if (!isLatest()) return;
        this.#askedEpoch = null;
        const holder = { gatewayId: this.#owner.identity.gatewayId, epoch };
        this.#pod.learn({ claim: { versionUid }, holder, busy });
        this.#pod.isTaken = false;
        if (busy.length === 0 && (slot.state === 'Adopting' || slot.state === 'Foreign')) this.#owner.freed(slot);
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
    if (connection?.adopt(versionUid, epoch, sink) !== true) return false;
    this.#askedEpoch = epoch;
    return true;
  }

  /** @see PodLink.fence */
  fence(
    connection: PodConnection | null,
    function_: { readonly key: string; readonly epoch: number },
    told: (state: PodState) => void,
    ended: (refusal: LinkError | null) => void,
  ): boolean {
    const sink = {
      onFenced: (state: PodState) => {
        told(state);
        ended(null);
      },
      onRefused: (error: LinkError) => {
        this.#owner.epochSeen(error.epoch);
        ended(error);
      },
      onLost: ended,
    };
    return connection?.fence(function_.key, function_.epoch, sink) === true;
  }

  /** Tells the agent to end. It does that for the holder of its pod only. */
  drain(connection: PodConnection | null, reason: string): void {
    const { claim } = this.#pod;
    if (connection?.hasHolders && claim !== null && claim.holder?.gatewayId !== this.#owner.identity.gatewayId)
      connection.adopt(claim.versionUid, this.#owner.nextEpoch(), ignored);
    connection?.drain(reason);
  }

  #claimSink(slot: Slot<PodLink, Call>, epoch: number): ClaimSink {
    const pod = this.#pod;
    return {
      onSpecialized: () => {
        const holder = pod.hasHolders ? { gatewayId: this.#owner.identity.gatewayId, epoch } : null;
        // Unless another gateway has adopted it since.
        if (!pod.isTaken) pod.claim = { versionUid: slot.version.uid, holder, isBusy: slot.request !== null };
        this.#owner.confirmed(slot);
      },
      // With a request behind it, the request's own stream ends with the same error: one end per attempt.
      onRefused: (error) => {
        if (slot.state === 'Claiming') this.#owner.claimRefused(slot, error);
      },
      onLost: () => {},
    };
  }
}
