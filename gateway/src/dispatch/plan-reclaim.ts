/*
 * When the nodes are full of idle pods, a pool cannot grow: its new pods stay Pending, and calls of other functions wait in vain. So
 * gateways give idle pods back. They agree by what each of them sees of the pods:
 *
 *   a pod that fits nowhere for want of room ... | what is given up for it
 *   since less than 500 ms                       | nothing: the scheduler may not have had its turn
 *   while a claim waits for it                   | what is idle for 1 s or more
 *   only for claims to come, as its pool has no  | what is idle for 60 s or more: so the next cold start is a quick one, and no
 *     generic pod that is ready                  |   function that is called now and then loses its pods to a full pool
 *   and its pool has one                         | nothing
 *   and what was given for it has not ended, or  | nothing: its room is on its way
 *     ended less than 3 s ago                    |
 *   and it fits nowhere still                    | as many again as were given for it, on the node where most was given: claimed pods
 *                                                |   are resized, so that nodes may be booked for more than they have
 *   and sixteen were given, or nobody waits and  | one more each minute
 *     three were                                 |
 *
 * Who waits says so by an annotation of the Pending pod; for which pod one was given up, by an annotation of that one. In the n-th second
 * it is the turn of gateway (hash of the Pending pod + n) modulo gateways: who has nothing idle lets the turn pass. A turn that comes early
 * or late costs a few pods more at most.
 * Given up is the one that was not used for the longest time, of those that are at least as large as what is asked for; when none is, of all.
 */

/** Bounds of giving back; times in milliseconds. */
export interface ReclaimLimits {
  /** A pod must fit nowhere for so long first. */
  readonly afterMs: number;
  /** Length of a gateway's turn. */
  readonly turnMs: number;
  /** A pod that was used since is not given up. */
  readonly idleMs: number;
  /** Nor one that was used since, while no claim waits. At least as long as pools keep more generic pods than their floor. */
  readonly calmIdleMs: number;
  /** After the end of what was given it takes so long until the pod is scheduled, or another one of its pool in its place is ready. */
  readonly settleMs: number;
  /** What was given and has not ended in that time is waited for no longer. */
  readonly againMs: number;
  /** Pods given so quickly for one that a claim waits for; then something else must be wrong. */
  readonly awaitedCount: number;
  /** The same for one that no claim waits for. */
  readonly calmCount: number;
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
  calmIdleMs: 60_000,
  settleMs: 3_000,
  againMs: 5_000,
  awaitedCount: 16,
  calmCount: 3,
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
  /** A claim waits for it. */
  readonly isAwaited: boolean;
  /** Pods that were given up for it, by whatever gateway. */
  readonly givenCount: number;
  /** When the last of them was; meaningless without any. */
  readonly givenMs: number;
  /** When all of them had ended; null = some have not. */
  readonly endedMs: number | null;
}

/** A slot that could be given up. */
export interface Spare<S> {
  readonly slot: S;
  readonly idleSinceMs: number;
  /** Null = unknown. */
  readonly size: PodSize | null;
  /** Empty = unknown. */
  readonly node: string;
}

/** One decision. */
export interface Reclaim<S> {
  readonly slot: S;
  readonly podUid: string;
}

/** What {@link planReclaim} looks at. */
export interface ReclaimNeed<S> {
  readonly shortages: readonly Shortage[];
  /** Longest idle first; asked for only when something may be given up. */
  readonly spares: () => readonly Spare<S>[];
  /** Where most was given up for those that are short; empty = nowhere. */
  readonly node: string;
  /** This gateway among those that live, in an order that all of them agree on; index -1 = it has no turn. */
  readonly place: { readonly index: number; readonly count: number };
  /** Pods that may be given up at this moment. */
  readonly budget: number;
}

/** Which idle slots are given up, and for which pod each. The table stands above. */
export function planReclaim<S>(need: ReclaimNeed<S>, limits: ReclaimLimits, nowMs: number): readonly Reclaim<S>[] {
  const due = need.shortages.filter((each) => isDue(each, limits, nowMs) && hasTurn(each, need.place, limits, nowMs));
  if (due.length === 0) return [];
  const left = [...need.spares()];
  const plan: Reclaim<S>[] = [];
  for (const shortage of due.toSorted(byNeed)) {
    const { podUid, isAwaited, givenCount } = shortage;
    const node = givenCount === 0 ? '' : need.node;
    const idleBeforeMs = nowMs - (isAwaited ? limits.idleMs : limits.calmIdleMs);
    for (let count = countFor(shortage, limits); count > 0 && plan.length < need.budget; count -= 1) {
      const at = chooseSpare(left, shortage, { idleBeforeMs, node });
      const [spare] = at === -1 ? [] : left.splice(at, 1);
      if (spare === undefined) break;
      plan.push({ slot: spare.slot, podUid });
    }
  }
  return plan;
}

/** Those that a claim waits for, then the oldest ones. */
function byNeed(a: Shortage, b: Shortage): number {
  return Number(b.isAwaited) - Number(a.isAwaited) || a.sinceMs - b.sinceMs;
}

function isDue(shortage: Shortage, limits: ReclaimLimits, nowMs: number): boolean {
  const { sinceMs, givenCount, givenMs, endedMs } = shortage;
  if (nowMs - sinceMs < limits.afterMs) return false;
  if (givenCount === 0) return true;
  if (givenCount >= quickCount(shortage, limits)) return nowMs - givenMs >= limits.slowMs;
  return nowMs - givenMs >= limits.againMs || (endedMs !== null && nowMs - endedMs >= limits.settleMs);
}

/** 1, 1, 2, 4, 8 for one that a claim waits for, else 1 each time. */
function countFor(shortage: Shortage, limits: ReclaimLimits): number {
  const { givenCount, isAwaited } = shortage;
  const isQuick = isAwaited && givenCount < quickCount(shortage, limits);
  return isQuick ? Math.max(1, Math.min(givenCount, limits.awaitedCount - givenCount)) : 1;
}

function quickCount({ isAwaited }: Shortage, limits: ReclaimLimits): number {
  return isAwaited ? limits.awaitedCount : limits.calmCount;
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

/** The best one's place: on that node and large enough, then on that node, then large enough, then any; -1 = none was idle for long enough. */
function chooseSpare(
  spares: readonly Spare<unknown>[],
  { asks }: Shortage,
  { idleBeforeMs, node }: { readonly idleBeforeMs: number; readonly node: string },
): number {
  let best = -1;
  let bestRank = -1;
  for (const [at, spare] of spares.entries()) {
    if (spare.idleSinceMs > idleBeforeMs) continue;
    const rank = (node !== '' && spare.node === node ? 2 : 0) + (covers(spare.size, asks) ? 1 : 0);
    if (rank <= bestRank) continue;
    best = at;
    bestRank = rank;
  }
  return best;
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
