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
 *   and a pod was given for it less than 5 s ago | nothing: that one's room is on its way
 *   and three pods were given in vain            | one more each minute
 *
 * Who waits says so by an annotation of the Pending pod; for which pod one was given up, by an annotation of that one. In the n-th second
 * it is the turn of gateway (hash of the Pending pod + n) modulo gateways: who has nothing idle lets the turn pass. A turn that comes early
 * or late costs one pod more at most.
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
  calmIdleMs: 60_000,
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
  /** A claim waits for it. */
  readonly isAwaited: boolean;
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
  /** Longest idle first; asked for only when something may be given up. */
  readonly spares: () => readonly Spare<S>[];
  /** This gateway among those that live, in an order that all of them agree on; index -1 = it has no turn. */
  readonly place: { readonly index: number; readonly count: number };
  /** Pods that may be given up at this moment. */
  readonly budget: number;
}

/** Which idle slots are given up, and for which pod each. At most one for each shortage. The table stands above. */
export function planReclaim<S>(need: ReclaimNeed<S>, limits: ReclaimLimits, nowMs: number): readonly Reclaim<S>[] {
  const due = need.shortages.filter((each) => isDue(each, limits, nowMs) && hasTurn(each, need.place, limits, nowMs));
  if (due.length === 0) return [];
  const left = [...need.spares()];
  const plan: Reclaim<S>[] = [];
  for (const shortage of due.toSorted(byNeed)) {
    if (plan.length >= need.budget) break;
    const at = chooseSpare(left, shortage, nowMs - (shortage.isAwaited ? limits.idleMs : limits.calmIdleMs));
    const [spare] = at === -1 ? [] : left.splice(at, 1);
    if (spare !== undefined) plan.push({ slot: spare.slot, podUid: shortage.podUid });
  }
  return plan;
}

/** Those that a claim waits for, then the oldest ones. */
function byNeed(a: Shortage, b: Shortage): number {
  return Number(b.isAwaited) - Number(a.isAwaited) || a.sinceMs - b.sinceMs;
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
