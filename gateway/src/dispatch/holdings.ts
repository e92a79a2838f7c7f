import type { LinkError } from '../link/link.ts';
import type { Call } from './call.ts';
import type { DispatchCore } from './core.ts';
import type { Epochs } from './epochs.ts';
import type { DispatchLimits } from './limits.ts';
import { functionKeyOf, type Ownership } from './ownership.ts';
import type { PodLink } from './pod-link.ts';
import type { PodClaim } from './pod-use.ts';
import { isAtWork, type Slot, slotsOfPod } from './slot.ts';
import type { Terms, TermsOwner } from './terms.ts';
import type { ClusterDoor, Target } from './types.ts';

/** What holdings work with. */
export interface HoldingsDeps {
  readonly core: DispatchCore<PodLink, Call>;
  readonly ownership: Ownership;
  readonly epochs: Epochs;
  readonly limits: DispatchLimits;
  readonly cluster: Pick<ClusterDoor, 'claimed'>;
  nowMs(): number;
  /** Every pod that the informer shows. */
  pods(): Iterable<PodLink>;
}

/** What becomes of a claimed pod; `epoch` null = it is this gateway's already, no ADOPT is needed. */
type Decision = { readonly kind: 'held' } | { readonly kind: 'slot'; readonly epoch: number | null };
const held: Decision = { kind: 'held' };
const own: Decision = { kind: 'slot', epoch: null };

/*
 * Which claimed pods are this gateway's slots.
 *
 *   holder of the pod            | function without reserved concurrency | with reserved concurrency
 *   this gateway                 | slot                                  | slot; in a later term ADOPT first
 *   another live owner           | held                                  | term here: ADOPT, else held
 *   anybody else (dead, no owner)| heir here: ADOPT, else held           | term here: ADOPT, else held
 *   none told (protocol 1)       | heir here: slot, else held            | term here: slot, else held
 *
 * Heir: the owner; of several the one of the pod's zone, so that they neither snatch pods from each other nor have to claim new ones.
 *
 * A pod of which this gateway is no owner any more stays its slot until the new owner has adopted it: so it is of use as long as nobody
 * else has it, and is given up when it is idle for too long. Nothing that runs is disturbed by an adoption.
 */
export class Holdings implements TermsOwner {
  readonly #deps: HoldingsDeps;
  readonly #terms: Terms;
  /** What may get calls; null until it was said for the first time. */
  #current: ReadonlyMap<string, Target> | null = null;
  /** Pools of functions with reserved concurrency. */
  readonly #pools = new Map<string, Set<string>>();

  constructor(deps: HoldingsDeps, makeTerms: (owner: TermsOwner) => Terms) {
    this.#deps = deps;
    this.#terms = makeTerms(this);
  }

  get terms(): Terms {
    return this.#terms;
  }

  /** Takes over which versions there are; `reconsider` is to follow. */
  setVersions(current: ReadonlyMap<string, Target>): void {
    this.#current = current;
    this.#pools.clear();
    for (const target of current.values()) {
      if (target.reservedConcurrency === null) continue;
      const key = functionKeyOf(target);
      const pools = this.#pools.get(key);
      if (pools === undefined) this.#pools.set(key, new Set([target.pool]));
      else pools.add(target.pool);
    }
  }

  /** Decides anew about every linked pod that is claimed and no slot. */
  reconsider(): void {
    for (const pod of this.#deps.pods()) if (pod.use === 'held' || pod.use === 'orphan') this.claimed(pod);
  }

  /** The same for those alone that had to wait; to be called at each tick. */
  tick(): void {
    const nowMs = this.#deps.nowMs();
    const { orphanGraceMs } = this.#deps.limits;
    for (const pod of this.#deps.pods()) {
      if (pod.use === 'held' && pod.adoptAtMs > 0 && pod.adoptAtMs <= nowMs) {
        pod.adoptAtMs = 0;
        this.claimed(pod);
      } else if (pod.use === 'orphan' && this.#current !== null && nowMs - pod.orphanSinceMs > orphanGraceMs) {
        if (!this.#isElsewhere(pod)) pod.condemn('nothing calls its version any more');
      }
    }
  }

  /**
   * A pod holds a version: it becomes a slot, or stays another gateway's, or an orphan while nobody knows the version.
   * @returns whether ADOPT was sent
   */
  claimed(pod: PodLink): boolean {
    const { claim } = pod;
    if (claim === null) return false;
    const target = this.#current?.get(claim.versionUid);
    if (target === undefined) {
      if (pod.use !== 'orphan') pod.orphanSinceMs = this.#deps.nowMs();
      pod.use = 'orphan';
      return false;
    }
    const decision = this.#decide(pod, claim, target);
    if (decision.kind === 'slot') return this.#takeSlot(pod, claim, target, decision.epoch);
    pod.use = 'held';
    return false;
  }

  /** An ADOPT was answered. */
  adoptEnded(pod: PodLink, slot: Slot<PodLink, Call>, refusal: LinkError | null): void {
    const { core, limits } = this.#deps;
    if (refusal === null)
      for (const each of slotsOfPod(slot)) core.foundBusy(each); // an Adopting one that still is one
    else if (!slotsOfPod(slot).some(isAtWork)) {
      for (const each of slotsOfPod(slot)) core.forget(each);
      if (refusal.code === 'Draining') pod.condemn(refusal.message);
      else if (refusal.code !== 'StaleEpoch') pod.relink();
      else {
        pod.adoptAtMs = this.#deps.nowMs() + limits.readoptMs;
        pod.use = 'held';
        pod.slot = null;
      }
    }
    this.podAnswered(slot, refusal);
  }

  /** Nothing more is waited for from the slot's pod. */
  podAnswered(slot: Slot<PodLink, Call>, refusal: LinkError | null): void {
    const { owner } = slot.version;
    if (owner.cap !== null) this.#terms.answered(owner.key, slot.pod, refusal);
  }

  /** The slot's pod is another gateway's by now: it is not adopted back at once, but for a term. */
  taken(slot: Slot<PodLink, Call>): void {
    const { core, limits, nowMs } = this.#deps;
    const { pod } = slot;
    pod.adoptAtMs = nowMs() + limits.readoptMs;
    this.giveUpRest(slot, slot);
    if (slot.mates?.some((mate) => mate !== slot && isAtWork(mate))) {
      core.forget(slot);
      return;
    }
    if (slot.state === 'Idle') core.forget(slot);
    pod.letSlotGo();
    core.forget(slot); // only now, for the same reason as in #takeSlot
    if (pod.slot === null) this.podAnswered(slot, null);
  }

  /** Of several slots of a pod those in which nothing of this gateway runs are given up, but for `kept`. */
  giveUpRest(slot: Slot<PodLink, Call>, kept: Slot<PodLink, Call> | null): void {
    for (const mate of slot.mates ?? []) if (mate !== kept && !isAtWork(mate)) this.#deps.core.forget(mate);
  }

  pods(): Iterable<PodLink> {
    return this.#deps.pods();
  }

  mayServe(pool: string, functionKey: string): boolean {
    return this.#pools.get(functionKey)?.has(pool) === true || this.#deps.core.census.usesPool(functionKey, pool);
  }

  isOf(pod: PodLink, functionKey: string): boolean {
    const target = this.#targetOf(pod);
    return target !== undefined && functionKeyOf(target) === functionKey;
  }

  isComing(pod: PodLink): boolean {
    return this.#deps.core.arrivals.isDialled(pod);
  }

  takeOver(pod: PodLink): boolean {
    const { slot, claim } = pod;
    if (slot === null) return this.claimed(pod);
    if (slot.version.uid !== claim?.versionUid) {
      // An older claim has won the pod that this gateway is claiming for something else; when that is refused, ADOPT follows.
      this.countLost(pod);
      return false;
    }
    if (slot.mates !== null && pod.isTaken) {
      this.countLost(pod); // what the other gateway runs there, until what is left here has ended
      return false;
    }
    const epoch = this.#terms.epochOf(slot.version.owner.key);
    return epoch !== null && pod.isConfirmed && claim?.holder?.epoch !== epoch && pod.adopt(slot, epoch);
  }

  countLost(pod: PodLink): void {
    const target = this.#targetOf(pod);
    if (target === undefined || pod.ghosts.length > 0 || pod.hasEnded) return;
    pod.ghosts = slotsOfPod(this.#deps.core.adopt(pod, target, 'Lost'));
  }

  changed(functionKey: string): void {
    for (const version of this.#deps.core.census.versionsOf(functionKey)) this.#deps.core.advance(version);
  }

  #targetOf(pod: PodLink): Target | undefined {
    const versionUid = pod.claim?.versionUid ?? (pod.isLinked ? null : pod.pod.versionUid);
    return versionUid === null ? undefined : this.#current?.get(versionUid);
  }

  /** Another gateway that lives holds the pod: it knows better what is current. */
  #isElsewhere({ claim }: PodLink): boolean {
    const { ownership } = this.#deps;
    const holder = claim?.holder ?? null;
    if (holder === null || holder.gatewayId === ownership.gatewayId) return false;
    return ownership.isLive?.(holder.gatewayId) ?? true;
  }

  #decide(pod: PodLink, { holder }: PodClaim, target: Target): Decision {
    const { ownership, epochs } = this.#deps;
    const isOwn = holder?.gatewayId === ownership.gatewayId;
    if (target.reservedConcurrency !== null) return this.#decideReserved(functionKeyOf(target), holder, isOwn);
    if (isOwn) return own;
    if (!(ownership.isHeir?.(target, pod.zone) ?? ownership.isOwner(target))) return held;
    if (holder === null) return own;
    if (ownership.mayHold(target, holder.gatewayId) || this.#deps.nowMs() < pod.adoptAtMs) return held;
    return { kind: 'slot', epoch: epochs.next() };
  }

  #decideReserved(functionKey: string, holder: PodClaim['holder'], isOwn: boolean): Decision {
    const other = isOwn ? own : held;
    if (!this.#terms.hasTerm(functionKey)) return other;
    if (holder === null) return own;
    const epoch = this.#terms.epochOf(functionKey);
    if (epoch === null) this.#terms.beginSoon(functionKey); // and adopts it
    if (epoch === null || (isOwn && holder.epoch >= epoch)) return other;
    return { kind: 'slot', epoch };
  }

  #takeSlot(pod: PodLink, { busy }: PodClaim, target: Target, epoch: number | null): boolean {
    const { core, cluster } = this.#deps;
    const state = epoch === null ? 'Idle' : 'Adopting';
    pod.use = 'slot';
    const slot = core.adopt(pod, target, state, busy.length);
    if (slotsOfPod(slot).some((each) => each.state !== 'Gone')) pod.hold(slot, true);
    pod.endGhosts(); // only now: what runs there must not be uncounted for a moment
    const isAsked = epoch !== null && pod.adopt(slot, epoch);
    if (isAsked && slot.version.owner.cap !== null) this.#terms.await(slot.version.owner.key, pod);
    if (pod.pod.state === 'generic') cluster.claimed(pod.pod, target);
    return isAsked;
  }
}
