import type { PodSummary } from '../observed.ts';
import { type ClaimHistory, claimWindowMs } from './plan.ts';
import type { SpreadState } from './spread.ts';

/** Claims that are remembered, at most; beyond it the oldest go and the rate is understated. */
const maxClaims = 2_000;

/** A pod that is seen for the first time, runs for so long and is not ready has been ready before this process came. */
const startedLongAgoMs = 30_000;

/** What cannot be read off a pod as it is now; instants in epoch ms, null = it is not so. */
interface PodNotes {
  wasReady: boolean;
  /** When it was seen first. */
  seenSinceMs: number;
  unreadySinceMs: number | null;
  claimedSinceMs: number | null;
  outdatedSinceMs: number | null;
  imageProblemSinceMs: number | null;
  terminatingSinceMs: number | null;
  isHastened: boolean;
}

/** The memory of each pool. */
export class PoolMemories {
  readonly #nowMs: () => number;
  readonly #memories = new Map<string, PoolMemory>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  of(pool: string): PoolMemory {
    const known = this.#memories.get(pool);
    if (known !== undefined) return known;
    const memory = new PoolMemory(this.#nowMs());
    this.#memories.set(pool, memory);
    return memory;
  }

  /** The pool is gone, and has no pods: images come and go. */
  forget(pool: string): void {
    this.#memories.delete(pool);
  }
}

/**
 * What this process has seen of one pool over time. Soft state: after a restart it begins anew, which only makes the pool keep
 * raised replicas for one more idle time.
 */
export class PoolMemory {
  /** How its pods are spread over zones. */
  spread: SpreadState = { zones: [], isUnderway: false, sinceMs: 0, tries: 0 };
  /** When a claimed pod of an older template was replaced last, epoch ms; 0 = never. */
  lastRollAtMs = 0;
  /** Highest ordinal created or seen. */
  lastOrdinal = 0;
  /** When `spec.replicas` was last seen to rise, epoch ms. */
  raisedAtMs: number;
  #replicas = 0;
  /** Instants of claims within the window, rising. */
  readonly #claims: number[] = [];
  #lastClaimAtMs = 0;
  #failures = { count: 0, lastAtMs: 0 };
  /** By uid; goes with the pod. */
  readonly #pods = new Map<string, PodNotes>();

  constructor(nowMs: number) {
    this.raisedAtMs = nowMs;
  }

  /** Generic pods that failed in a row, and when the last did. */
  get failures(): { readonly count: number; readonly lastAtMs: number } {
    return this.#failures;
  }

  /** Takes note of the pool's wanted size. */
  sawReplicas(replicas: number, nowMs: number): void {
    if (replicas > this.#replicas) this.raisedAtMs = nowMs;
    this.#replicas = replicas;
  }

  /** Takes note of a pod's change; null = not there (before) or gone (after). */
  sawPod(before: PodSummary | null, after: PodSummary | null, nowMs: number): void {
    if (after === null) {
      if (before !== null) this.#pods.delete(before.uid);
      return;
    }
    this.lastOrdinal = Math.max(this.lastOrdinal, after.ordinal);
    const { zones } = this.spread;
    if (after.zone !== '' && !zones.includes(after.zone))
      this.spread = { ...this.spread, zones: [...zones, after.zone] };
    this.#pods.set(after.uid, note(this.#pods.get(after.uid), after, nowMs));
    if (before?.state === 'generic' && after.state === 'claimed') this.#sawClaim(nowMs);
    if (after.isReady && before?.isReady !== true) this.#failures = { count: 0, lastAtMs: 0 };
    const hasFailed = after.state === 'generic' && after.phase === 'Failed' && before?.phase !== 'Failed';
    if (hasFailed && !after.isTerminating) this.#failures = { count: this.#failures.count + 1, lastAtMs: nowMs };
  }

  /** Since when a pod that was never ready has been seen, epoch ms; null = it was. */
  startingSinceMs(uid: string): number | null {
    const notes = this.#pods.get(uid);
    return notes === undefined || notes.wasReady ? null : notes.seenSinceMs;
  }

  /** Since when a pod that had been ready is not, epoch ms; null = it is, or never was. */
  unreadySinceMs(uid: string): number | null {
    return this.#pods.get(uid)?.unreadySinceMs ?? null;
  }

  /** Since when a pod is seen to be claimed, epoch ms; null = it is not. */
  claimedSinceMs(uid: string): number | null {
    return this.#pods.get(uid)?.claimedSinceMs ?? null;
  }

  /** Since when a pod is of another template than `template`, epoch ms; null = it is of that. */
  outdatedSinceMs({ uid, template }: PodSummary, current: string, nowMs: number): number | null {
    const notes = this.#pods.get(uid);
    if (template === current || notes === undefined) return template === current ? null : nowMs;
    notes.outdatedSinceMs ??= nowMs;
    return notes.outdatedSinceMs;
  }

  /** Since when a pod's image is not there for a cause that its node tells, epoch ms; null = it is not so. */
  imageProblemSinceMs(uid: string): number | null {
    return this.#pods.get(uid)?.imageProblemSinceMs ?? null;
  }

  /** Since when a pod is told to end while its node is heard, epoch ms; null = it is not so, or it was told a second time. */
  terminatingSinceMs(uid: string): number | null {
    const notes = this.#pods.get(uid);
    return notes === undefined || notes.isHastened ? null : notes.terminatingSinceMs;
  }

  /** Takes note that a pod was told a second time to end. */
  sawHastened(uid: string): void {
    const notes = this.#pods.get(uid);
    if (notes !== undefined) notes.isHastened = true;
  }

  /** Claims of the last {@link claimWindowMs}. */
  claims(nowMs: number): ClaimHistory {
    while ((this.#claims[0] ?? nowMs) <= nowMs - claimWindowMs) this.#claims.shift();
    return { recent: this.#claims.length, lastAtMs: this.#lastClaimAtMs };
  }

  #sawClaim(nowMs: number): void {
    this.#lastClaimAtMs = nowMs;
    this.#claims.push(nowMs);
    if (this.#claims.length > maxClaims) this.#claims.shift();
  }
}

function note(known: PodNotes | undefined, pod: PodSummary, nowMs: number): PodNotes {
  const hasRunLong = known === undefined && pod.startedAtMs > 0 && nowMs - pod.startedAtMs > startedLongAgoMs;
  const wasReady = (known?.wasReady ?? false) || pod.isReady || pod.isCutOff || hasRunLong;
  return {
    wasReady,
    seenSinceMs: known?.seenSinceMs ?? nowMs,
    unreadySinceMs: pod.isReady || !wasReady ? null : (known?.unreadySinceMs ?? nowMs),
    claimedSinceMs: since(known?.claimedSinceMs, pod.state === 'claimed', nowMs),
    outdatedSinceMs: known?.outdatedSinceMs ?? null,
    imageProblemSinceMs: since(known?.imageProblemSinceMs, pod.imageProblem !== null, nowMs),
    terminatingSinceMs: since(known?.terminatingSinceMs, pod.isTerminating && !pod.isCutOff, nowMs),
    isHastened: known?.isHastened ?? false,
  };
}

/** Since when it is so; null = it is not. */
function since(knownMs: number | null | undefined, isSo: boolean, nowMs: number): number | null {
  return isSo ? (knownMs ?? nowMs) : null;
}
