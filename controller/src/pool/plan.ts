import type { ImageProblem } from '../image/trial.ts';
import { earliest } from './earliest.ts';
import { planDrain, planRoll } from './roll.ts';
import { planSpread, type SpreadPlan, type SpreadState } from './spread.ts';
import { planStart } from './start.ts';
import { planStuck } from './stuck.ts';

/** One pod of a pool as the plan needs it. */
export interface PodObserved {
  readonly name: string;
  readonly uid: string;
  /** `kappa.dev/ordinal`: the number in its name. */
  readonly ordinal: number;
  readonly state: 'generic' | 'claimed';
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly isReady: boolean;
  /** Its node is given up, though its containers were well. */
  readonly isCutOff: boolean;
  /** Why its image is not there; null = it is, or nobody knows. */
  readonly imageProblem: ImageProblem | null;
  /** Since when that is so, epoch ms; null = its image is there, or nobody knows. */
  readonly imageProblemSinceMs: number | null;
  /** Why it has not come to its image yet, for people; null = it has, or nobody knows. */
  readonly startProblem: string | null;
  /** Since when it is on its way to its first readiness, epoch ms; null = it was ready before. */
  readonly startingSinceMs: number | null;
  /** Since when it is not ready though it had been, epoch ms; null = it is, or never was. */
  readonly unreadySinceMs: number | null;
  /** Since when it is of an older template, epoch ms; null = it is of the present one. */
  readonly outdatedSinceMs: number | null;
  /** Empty = nobody knows. */
  readonly zone: string;
  readonly isTerminating: boolean;
  /** Since when it is told to end, epoch ms; null = it is not, it was told a second time, or its node is given up. */
  readonly terminatingSinceMs: number | null;
  /** When it ended, epoch ms; 0 = it runs, or nobody knows. */
  readonly finishedAtMs: number;
  /** Why a claimed pod is not wanted any more; null = it is. */
  readonly orphan: 'FunctionGone' | 'VersionGone' | null;
}

/** What is known of one pool when its plan is made. */
export interface PoolObserved {
  readonly name: string;
  /** `spec.replicas`: generic pods somebody asked for. */
  readonly replicas: number;
  /** `spec.minReplicas`: the floor. */
  readonly minReplicas: number;
  /** `spec.maxPods`: generic and claimed together. */
  readonly maxPods: number;
  /** `spec.idleSeconds` as milliseconds. */
  readonly idleMs: number;
  /** Some function uses the pool's runtime, or a version its image. */
  readonly isUsed: boolean;
  readonly pods: readonly PodObserved[];
  /** Highest ordinal ever given by this process, so that a stale cache cannot give a number twice. */
  readonly lastOrdinal: number;
  readonly claims: ClaimHistory;
  /** When `replicas` was last raised above the floor, as far as this process saw; epoch ms. */
  readonly raisedAtMs: number;
  /** Generic pods that failed in a row without one getting ready, and when the last did. */
  readonly failures: { readonly count: number; readonly lastAtMs: number };
  /** When a claimed pod of an older template was replaced last, epoch ms; 0 = never. */
  readonly lastRollAtMs: number;
  readonly spread: SpreadState;
}

/** Claims of the last half minute: what the refill is paced by. */
export interface ClaimHistory {
  /** Claims within {@link claimWindowMs}. */
  readonly recent: number;
  /** Epoch ms of the last one; 0 = none seen. */
  readonly lastAtMs: number;
}

/** Pacing that belongs to the install, not to a pool. */
export interface PoolPacing {
  /** Generic pods that may be starting at once, >= 1. */
  readonly maxStarting: number;
  /** From creation to Ready, milliseconds: what a claim ahead of need has to bridge. */
  readonly podStartMs: number;
  /** Refill waits that long after a claim: the claimed pods need the CPU more. */
  readonly quietMs: number;
  /** A claimed pod of an older template may end by idleness for so long before it is replaced, milliseconds. */
  readonly rollAfterMs: number;
}

/** What to do with a pool. */
export interface PoolPlan {
  /** Ordinals of the generic pods to create. */
  readonly create: readonly number[];
  /** Pods to delete, sorted by name; each with its uid as precondition. */
  readonly remove: readonly { readonly name: string; readonly uid: string; readonly reason: RemoveReason }[];
  /** Pods that are told to end a second time, with less grace. */
  readonly hasten: readonly { readonly name: string; readonly uid: string }[];
  /** New `spec.replicas`, or null to leave it. */
  readonly scaleTo: number | null;
  /** When to look again though nothing changes; null = never. */
  readonly requeueAfterMs: number | null;
  /** Generic pods wanted now. */
  readonly wanted: number;
  /** What becomes of the state of the zones; null = it stays. */
  readonly spreadStep: SpreadPlan['step'];
}

/** Why a pod is deleted: it has ended, nobody needs it, it is of an older template, it does not get ready again, or what it runs is gone. */
export type RemoveReason = 'Finished' | 'Surplus' | 'Outdated' | 'Unhealthy' | 'FunctionGone' | 'VersionGone';

/** How far back claims count for the rate. */
export const claimWindowMs = 30_000;

/**
 * Gateways say each second how many pods they miss, and raise `replicas` to that. What was raised so long ago and not yet started may not
 * be missed any more: a stall of a moment must not start pods for a minute.
 */
export const unmetMs = 3_000;

/** A finished pod of a function stays that long, so that the log of its last call can be read. */
export const finishedKeptMs = 300_000;
/** And at most so many of a pool, the newest. */
const finishedKeptPods = 10;
/** One without a function's label may get it still: the gateway tells of a claim a moment after it. */
const labelGraceMs = 5_000;

/**
 * A generic pod that lost its readiness is replaced after so long, unless its node is given up: then at once. Three failed probes on a
 * busy node do not make a pool grow.
 */
export const lostAfterMs = 5_000;
/**
 * A pod that is on its way to readiness is not ended before that, or so long: a SIGTERM that meets its first process before that handles signals
 * is lost (the kernel keeps it from process 1), and the kubelet sends no other one for the whole grace.
 */
export const startingMs = 20_000;
/** And removed after so long, unless its node is given up: then Kubernetes removes it. */
export const unhealthyAfterMs = 60_000;

/**
 * Decides which pods a pool gets and loses. Pure: takes the time, never reads it.
 *
 * Generic pods that do not get ready again are not counted as pods to claim, but as pods of the pool: what replaces them stays within `maxPods`.
 */
export function planPool(pool: PoolObserved, pacing: PoolPacing, nowMs: number): PoolPlan {
  const live = pool.pods.filter((pod) => !isOver(pod) && !pod.isTerminating);
  const claimed = live.filter((pod) => pod.state === 'claimed');
  const lost = live.filter((pod) => isLost(pod, nowMs));
  const generic = live.filter((pod) => pod.state === 'generic' && !lost.includes(pod));
  const room = Math.max(0, pool.maxPods - claimed.length - lost.length);
  const wanted = Math.min(wantedGeneric(pool, pacing), room);
  const spread = planSpread(pool, generic, wanted, room, nowMs);
  const roll = planRoll(generic, wanted + spread.extra, room);
  const drain = planDrain(pool, pacing, claimed, roll.hasStandby, nowMs);
  const start = planStart(pool, pacing, generic, roll.missing, nowMs);
  const finished = planFinished(pool.pods, nowMs);
  const fall = planFall(pool, pacing, generic.length, nowMs);
  const stuck = planStuck(pool.pods, nowMs);
  const unwanted = [...roll.surplus.map(removal('Surplus')), ...roll.outdated.map(removal('Outdated'))];
  const isStarting = ({ name }: { readonly name: string }): boolean => starting.has(name);
  const starting = new Set(generic.filter((pod) => startingWaitMs(pod, nowMs) > 0).map(({ name }) => name));
  const recovering = generic.flatMap((pod) => (pod.unreadySinceMs === null ? [] : [lostAtMs(pod) - nowMs]));
  return {
    create: Array.from({ length: start.count }, (_, index) => nextOrdinal(pool) + index),
    remove: [
      ...finished.remove.map(removal('Finished')),
      ...live.flatMap((pod) => (pod.orphan === null ? [] : [removal(pod.orphan)(pod)])),
      ...unwanted.filter((pod) => !isStarting(pod)),
      ...drain.pods.map(removal('Outdated')),
      ...lost.filter((pod) => isUnhealthy(pod, nowMs)).map(removal('Unhealthy')),
    ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    hasten: stuck.pods.map(({ name, uid }) => ({ name, uid })),
    scaleTo: fall.scaleTo,
    requeueAfterMs: earliest(
      start.waitMs,
      finished.waitMs,
      fall.waitMs,
      drain.waitMs,
      spread.waitMs,
      ...stuck.waits,
      ...generic.filter((pod) => isStarting(pod)).map((pod) => startingWaitMs(pod, nowMs)),
      ...recovering,
      ...recoveryEnds(lost, nowMs),
    ),
    wanted,
    spreadStep: spread.step,
  };
}

/** How long it is not ended yet; 0 or less = it may be. */
function startingWaitMs({ startingSinceMs }: PodObserved, nowMs: number): number {
  return startingSinceMs === null ? 0 : startingSinceMs + startingMs - nowMs;
}

function lostAtMs(pod: PodObserved): number {
  return (pod.unreadySinceMs ?? 0) + (pod.isCutOff ? 0 : lostAfterMs);
}

/** A generic pod that nobody can claim and that is not on its way to readiness. */
function isLost(pod: PodObserved, nowMs: number): boolean {
  return pod.state === 'generic' && pod.unreadySinceMs !== null && lostAtMs(pod) <= nowMs;
}

/** Its node is well, but the pod is not. */
function isUnhealthy({ isCutOff, unreadySinceMs }: PodObserved, nowMs: number): boolean {
  return !isCutOff && unreadySinceMs !== null && unreadySinceMs + unhealthyAfterMs <= nowMs;
}

function recoveryEnds(lost: readonly PodObserved[], nowMs: number): readonly number[] {
  return lost
    .filter((pod) => !pod.isCutOff && !isUnhealthy(pod, nowMs))
    .map((pod) => (pod.unreadySinceMs ?? 0) + unhealthyAfterMs - nowMs);
}

function isOver({ phase }: PodObserved): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Finished pods to remove, and when the next one's time is over. */
function planFinished(pods: readonly PodObserved[], nowMs: number) {
  const finished = pods.filter((pod) => isOver(pod) && !pod.isTerminating);
  const keptUntilMs = (pod: PodObserved): number =>
    pod.orphan === null ? pod.finishedAtMs + (pod.state === 'claimed' ? finishedKeptMs : labelGraceMs) : 0;
  const kept = finished
    .filter((pod) => keptUntilMs(pod) > nowMs)
    .sort((a, b) => b.finishedAtMs - a.finishedAtMs)
    .slice(0, finishedKeptPods);
  return {
    remove: finished.filter((pod) => !kept.includes(pod)),
    waitMs: earliest(...kept.map((pod) => keptUntilMs(pod) - nowMs)),
  };
}

/**
 * Raised replicas fall twice: soon after the raise to the pods that there are by then, since whoever still misses more raises them again,
 * and one idle time after it to what the claims still need. The rate is looked at again when its window is over.
 */
function planFall(pool: PoolObserved, pacing: PoolPacing, generic: number, nowMs: number) {
  const rateEndsMs = pool.claims.recent > 0 ? claimWindowMs : null;
  const needed = Math.max(pool.minReplicas, neededByRate(pool, pacing));
  const fallsTo = nowMs >= pool.raisedAtMs + pool.idleMs ? needed : Math.max(needed, generic);
  const unmetUntilMs = pool.raisedAtMs + unmetMs;
  if (pool.replicas > fallsTo && nowMs >= unmetUntilMs) return { scaleTo: fallsTo, waitMs: rateEndsMs };
  if (pool.replicas <= needed) return { scaleTo: null, waitMs: rateEndsMs };
  const fallAtMs = pool.replicas > fallsTo ? unmetUntilMs : pool.raisedAtMs + pool.idleMs;
  return { scaleTo: null, waitMs: earliest(fallAtMs - nowMs, rateEndsMs) };
}

/** Asked for, or what the claim rate needs, whichever is more. */
function wantedGeneric(pool: PoolObserved, pacing: PoolPacing): number {
  return pool.isUsed ? Math.max(pool.replicas, pool.minReplicas, neededByRate(pool, pacing)) : 0;
}

/**
 * The floor, and on top what claims will use up while a pod starts; 0 when that is at most one. 120 claims in the last 30 s and 1 s to start a
 * pod: 4 above the floor.
 */
function neededByRate(pool: PoolObserved, pacing: PoolPacing): number {
  const expectedClaims = Math.ceil((pool.claims.recent / claimWindowMs) * pacing.podStartMs);
  return expectedClaims > 1 ? pool.minReplicas + expectedClaims : 0;
}

function nextOrdinal(pool: PoolObserved): number {
  return Math.max(pool.lastOrdinal, ...pool.pods.map((pod) => pod.ordinal), 0) + 1;
}

function removal(reason: RemoveReason): (pod: PodObserved) => PoolPlan['remove'][number] {
  return ({ name, uid }) => ({ name, uid, reason });
}
