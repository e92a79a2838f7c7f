import { ServiceException } from '../errors.ts';
import { dial, type Identity, type LinkError, type LogLines } from '../link/link.ts';
import { type Call, lossOf } from './call.ts';
import type { DispatchCore } from './core.ts';
import type { Loss } from './effects.ts';
import type { Epochs } from './epochs.ts';
import type { Holdings } from './holdings.ts';
import type { DispatchLimits } from './limits.ts';
import type { DispatchOptions } from './options.ts';
import type { PodLink } from './pod-link.ts';
import type { PodLinkOwner } from './pod-link-owner.ts';
import { hasLostMates, type Slot } from './slot.ts';

type PodSlot = Slot<PodLink, Call>;

/** Who hears of what happens to pods. */
export interface PodEventsDeps
  extends Pick<DispatchOptions, 'identity' | 'linkPort' | 'clock' | 'cluster' | 'observer' | 'dial' | 'logged'> {
  readonly core: DispatchCore<PodLink, Call>;
  readonly holdings: Holdings;
  readonly epochs: Epochs;
  readonly limits: DispatchLimits;
}

/** Brings what the links of the pods tell to the core, the holdings, the cluster and the observer. */
export class PodEvents implements PodLinkOwner {
  readonly identity: Identity;
  readonly linkPort: number;
  readonly redialMs: number;
  readonly readoptMs: number;
  readonly dial: typeof dial;
  readonly #deps: PodEventsDeps;

  constructor(deps: PodEventsDeps) {
    this.#deps = deps;
    this.identity = deps.identity;
    this.linkPort = deps.linkPort;
    this.redialMs = deps.limits.redialMs;
    this.readoptMs = deps.limits.readoptMs;
    this.dial = deps.dial ?? dial;
  }

  nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  after(delayMs: number, call: () => void): () => void {
    return this.#deps.clock.after(delayMs, call);
  }

  dialling(pod: PodLink): void {
    this.#deps.core.arrivals.began(pod, pod.pod.state === 'claimed' ? pod.pod.versionUid : null);
  }

  dialled(pod: PodLink): void {
    this.#deps.core.arrivals.ended(pod);
    this.#deps.holdings.terms.dialEnded(pod);
  }

  generic(pod: PodLink): void {
    if (pod.isLeaving) return;
    this.#deps.holdings.terms.greet(pod);
    this.#deps.core.claims.podReady(pod);
  }

  notGeneric(pod: PodLink): void {
    this.#deps.core.claims.podGone(pod);
  }

  claimed(pod: PodLink): void {
    this.#deps.holdings.claimed(pod);
  }

  taken(slot: PodSlot): void {
    this.#deps.holdings.taken(slot);
  }

  partlyTaken(slot: PodSlot): void {
    this.#deps.holdings.giveUpRest(slot, slot.state === 'Claiming' ? slot : null);
  }

  adoptEnded(pod: PodLink, slot: PodSlot, refusal: LinkError | null): void {
    this.#deps.holdings.adoptEnded(pod, slot, refusal);
    if (pod.isLeaving) this.leaving(slot);
  }

  freed(slot: PodSlot): void {
    this.#deps.core.freed(slot);
    if (slot.pod.isLeaving) this.leaving(slot);
    else this.#renew(slot);
  }

  found(slot: PodSlot): void {
    this.#deps.core.forget(slot);
  }

  nextEpoch(): number {
    return this.#deps.epochs.next();
  }

  epochSeen(epoch: number | null | undefined): void {
    this.#deps.epochs.saw(epoch);
  }

  suspected(pod: PodLink): void {
    if (pod.slot !== null) this.#deps.core.suspected(pod.slot);
    else this.#deps.core.claims.podSuspected(pod);
  }

  logged(pod: PodLink, lines: LogLines): void {
    // What the pod has said goes before what it was told: another gateway may have claimed it meanwhile.
    const versionUid = pod.claim?.versionUid ?? pod.slot?.version.uid;
    if (versionUid !== undefined) this.#deps.logged?.(versionUid, lines);
  }

  slotLost(slot: PodSlot, error: ServiceException, mayRetry: boolean): void {
    this.lose(slot, { mayRetry, error, isSuspicious: !mayRetry, isOutOfReach: !mayRetry });
  }

  lose(slot: PodSlot, loss: Loss): void {
    const { pod, state } = slot;
    const isClaim = state === 'Starting' || state === 'Claiming';
    if (isClaim && !pod.isConfirmed) this.#deps.observer.claimed(pod.pool, 'lost');
    this.#deps.core.lost(slot, pod.hasEnded ? { ...loss, isOutOfReach: false } : loss);
    if (slot.state === 'Lost') pod.ghosts = [...pod.ghosts, slot];
    if (slot.state !== 'Foreign') this.#deps.holdings.podAnswered(slot, null);
  }

  confirmed(slot: PodSlot, initError?: string): void {
    slot.pod.isConfirmed = true;
    this.#deps.observer.claimed(slot.pod.pool, 'claimed');
    this.#deps.cluster.claimed(slot.pod.pod, slot.version.target, initError);
    if (slot.pod.isTaken && slot.state === 'Claiming') {
      this.taken(slot);
      return;
    }
    if (initError !== undefined && slot.state === 'Claiming') {
      this.#initFailed(slot, initError);
      return;
    }
    this.#deps.core.confirmed(slot);
    if (slot.pod.isLeaving) this.leaving(slot);
    else this.#renew(slot);
  }

  /** Provisioned concurrency is pods that can work: this one ends, and the next one is claimed after a pause. */
  #initFailed(slot: PodSlot, initError: string): void {
    const reason = `init has failed (${initError})`;
    this.lose(slot, { mayRetry: false, error: new ServiceException(reason), isSuspicious: true });
    slot.pod.condemn(reason);
  }

  claimRefused(slot: PodSlot, error: LinkError): void {
    const { pod } = slot;
    this.lose(slot, lossOf(error));
    pod.refused(error);
  }

  #renew(slot: PodSlot): void {
    if (slot.state === 'Idle' && hasLostMates(slot)) this.taken(slot);
  }

  leaving(slot: PodSlot): void {
    this.#deps.core.retire(slot, 'the pod is going away');
  }
}
