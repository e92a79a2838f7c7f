/*
 * When the nodes are full of idle pods, a pool cannot grow: its new pods stay Pending, and calls of other functions wait in vain. So
 * gateways give idle pods back, without a word to each other:
 *
 *   a pod that fits nowhere for want of room ... | what is given up for it
 *   since less than 500 ms                       | nothing: the scheduler may not have had its turn
 *   in its n-th second without room              | something of the gateway whose turn it is: (hash of the pod + n) modulo gateways
 *   and a pod was given for it less than 5 s ago | nothing: one pod's room is on its way
 *   and three pods were given in vain            | one more each minute
 *   while its pool has ready generic pods        | only what is idle for 30 s: nobody waits, it is only for the next ones
 *   while its pool has none                      | what is idle for 1 s, too
 *
 * Given up is the pod that was not used for the longest time, of those that are at least as large as what is asked for; when none is, of all.
 * Every gateway sees which pod was given for which (an annotation), so that a turn which comes early or late costs at most one pod.
 */

/** Bounds of giving back; times in milliseconds. */
export interface ReclaimLimits {
  /** A pod must fit nowhere for so long first. */
  readonly afterMs: number;
  /** Length of a gateway's turn. */
  readonly turnMs: number;
  /** A pod that was used since is not given up, while somebody may wait for a pod of the pool. */
  readonly idleMs: number;
  /** The same while the pool still has generic pods. */
  readonly calmIdleMs: number;
  /** After one pod was given, the next one for the same pod must wait: agent, kubelet and scheduler have to do their part. */
  readonly againMs: number;
  /** Pods given so quickly for one pod; then something else must be wrong. */
  readonly quickCount: number;
  /** And then the next one must wait so long. */
  readonly slowMs: number;
  /** Pods that one gateway gives up within a second. */
  readonly perSecond: number;
}

/** What holds in production. */
export const reclaimLimits: ReclaimLimits = Object.freeze({
  afterMs: 500,
  turnMs: 1_000,
  idleMs: 1_000,
  calmIdleMs: 30_000,
  againMs: 5_000,
  quickCount: 3,
  slowMs: 60_000,
  perSecond: 10,
});

/** What a pod asks its node for. */
export interface PodSize {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

/** A pod that fits on no node for want of room. */
export interface Shortage {
  readonly podUid: string;
  /** Null = unknown. */
  readonly asks: PodSize | null;
  /** First seen so, by this gateway's clock. */
  readonly sinceMs: number;
  /** Its pool has no generic pod left: somebody waits, or will. */
  readonly isUrgent: boolean;
  /** Pods that were given up for it, by whatever gateway. */
  readonly givenCount: number;
  /** When the last of them was; meaningless without any. */
  readonly givenMs: number;
}

/** A slot that could be given up. */
export interface Spare<S> {
  readonly slot: S;
  readonly idleSinceMs: number;
  /** Null = unknown. */
  readonly size: PodSize | null;
}

/** One decision. */
export interface Reclaim<S> {
  readonly slot: S;
  readonly podUid: string;
}

/** What {@link planReclaim} looks at. */
export interface ReclaimNeed<S> {
  readonly shortages: readonly Shortage[];
  /** Longest idle first. */
  readonly spares: readonly Spare<S>[];
  /** This gateway among those that live, in an order that all of them agree on; index -1 = it has no turn. */
  readonly place: { readonly index: number; readonly count: number };
  /** Pods that may be given up at this moment. */
  readonly budget: number;
}

/** Which idle slots are given up, and for which pod each. At most one for each shortage. The table stands above. */
export function planReclaim<S>(need: ReclaimNeed<S>, limits: ReclaimLimits, nowMs: number): readonly Reclaim<S>[] {
  const left = [...need.spares];
  const plan: Reclaim<S>[] = [];
  for (const shortage of need.shortages.toSorted(byUrgency)) {
    if (plan.length >= need.budget) break;
    if (!isDue(shortage, limits, nowMs) || !hasTurn(shortage, need.place, limits, nowMs)) continue;
    const at = chooseSpare(left, shortage, nowMs - (shortage.isUrgent ? limits.idleMs : limits.calmIdleMs));
    const [spare] = at === -1 ? [] : left.splice(at, 1);
    if (spare !== undefined) plan.push({ slot: spare.slot, podUid: shortage.podUid });
  }
  return plan;
}

/** Those that somebody may wait for, then the oldest ones. */
function byUrgency(a: Shortage, b: Shortage): number {
  return Number(b.isUrgent) - Number(a.isUrgent) || a.sinceMs - b.sinceMs;
}

function isDue({ sinceMs, givenCount, givenMs }: Shortage, limits: ReclaimLimits, nowMs: number): boolean {
  if (nowMs - sinceMs < limits.afterMs) return false;
  if (givenCount === 0) return true;
  return nowMs - givenMs >= (givenCount < limits.quickCount ? limits.againMs : limits.slowMs);
}

/** Worked: hash 7, 2.6 s without room, turns of 1 s, three gateways: (7 + 2) modulo 3 = 0, the first one. */
function hasTurn(
  { podUid, sinceMs }: Shortage,
  { index, count }: ReclaimNeed<unknown>['place'],
  { turnMs }: ReclaimLimits,
  nowMs: number,
): boolean {
  return (hashOf(podUid) + Math.floor((nowMs - sinceMs) / turnMs)) % count === index;
}

function chooseSpare(spares: readonly Spare<unknown>[], { asks }: Shortage, idleBeforeMs: number): number {
  const isIdle = ({ idleSinceMs }: Spare<unknown>): boolean => idleSinceMs <= idleBeforeMs;
  const large = spares.findIndex((spare) => isIdle(spare) && covers(spare.size, asks));
  return large === -1 ? spares.findIndex(isIdle) : large;
}

/** What is not known is taken for large enough. */
function covers(size: PodSize | null, asks: PodSize | null): boolean {
  return size === null || asks === null || (size.cpuMilli >= asks.cpuMilli && size.memoryBytes >= asks.memoryBytes);
}

/** FNV-1a, 32 bits: the same at every gateway. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
