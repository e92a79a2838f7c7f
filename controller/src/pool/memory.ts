import type { PodSummary } from '../observed.ts';
import { type ClaimHistory, claimWindowMs } from './plan.ts';

/** Claims that are remembered, at most; beyond it the oldest go and the rate is understated. */
const maxClaims = 2_000;

/**
 * What this process has seen of one pool over time. Soft state: after a restart it begins anew, which only makes the pool keep
 * raised replicas for one more idle time.
 */
export class PoolMemory {
  /** Highest ordinal created or seen. */
  lastOrdinal = 0;
  /** When `spec.replicas` was last seen to rise, epoch ms. */
  raisedAtMs: number;
  #replicas = 0;
  /** Instants of claims within the window, rising. */
  readonly #claims: number[] = [];
  #lastClaimAtMs = 0;
  #failures = { count: 0, lastAtMs: 0 };

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
    if (after === null) return;
    this.lastOrdinal = Math.max(this.lastOrdinal, after.ordinal);
    if (before?.state === 'generic' && after.state === 'claimed') this.#sawClaim(nowMs);
    if (after.isReady && before?.isReady !== true) this.#failures = { count: 0, lastAtMs: 0 };
    const hasFailed = after.state === 'generic' && after.phase === 'Failed' && before?.phase !== 'Failed';
    if (hasFailed && !after.isTerminating) this.#failures = { count: this.#failures.count + 1, lastAtMs: nowMs };
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
