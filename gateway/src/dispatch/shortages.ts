import type { Call } from './call.ts';
import type { Claims } from './claims.ts';
import type { Ownership } from './ownership.ts';
import type { Pauses } from './pauses.ts';
import { reclaimLimits, type Shortage } from './plan-reclaim.ts';
import type { PodLink } from './pod-link.ts';
import type { ClusterDoor } from './types.ts';

/** What {@link Shortages} looks at and tells. */
export interface ShortagesDeps {
  readonly claims: Pick<Claims<PodLink, Call>, 'wantedIn' | 'genericIn'>;
  readonly pauses: Pick<Pauses, 'wokeMs'>;
  readonly ownership: Pick<Ownership, 'gatewayId' | 'isLive'>;
  readonly cluster: Pick<ClusterDoor, 'awaited'>;
}

/** A pod without room. */
interface Known {
  readonly link: PodLink;
  sinceMs: number;
  /** A claim of this gateway waits for it. */
  isAwaited: boolean;
  /** When that was said. */
  saidMs: number;
  /** The pods that were given up for it. */
  readonly given: Set<PodLink>;
  givenMs: number;
  /** When all of them had ended; null = some have not. */
  endedMs: number | null;
}

/** What was said is seen by everybody after so long, or it was not heard. */
const HEARD_MS = 1_000;

/** The pods that find no room on the nodes: since when, who waits for them, what was given up for them. */
export class Shortages {
  readonly #deps: ShortagesDeps;
  /** By uid. */
  readonly #known = new Map<string, Known>();
  /** Pools of which more pods are said to be waited for than claims miss, and since when. */
  readonly #surplusSinceMs = new Map<string, number>();

  constructor(deps: ShortagesDeps) {
    this.#deps = deps;
  }

  /** Takes over what the informer shows of all pods, and says which of those without room this gateway's claims wait for. */
  look(pods: readonly PodLink[], nowMs: number): void {
    const { wokeMs } = this.#deps.pauses; // what was seen before is old
    const short = pods.filter(({ pod }) => pod.isShort === true && !pod.terminating);
    const uids = new Set(short.map(({ pod }) => pod.uid));
    for (const uid of this.#known.keys()) if (!uids.has(uid)) this.#known.delete(uid);
    for (const link of short) {
      const known = this.#known.get(link.pod.uid);
      if (known === undefined)
        this.#known.set(link.pod.uid, {
          link,
          sinceMs: nowMs,
          isAwaited: false,
          saidMs: 0,
          given: new Set(),
          givenMs: 0,
          endedMs: null,
        });
      else known.sinceMs = Math.max(known.sinceMs, wokeMs);
    }
    if (short.length === 0) return;
    for (const link of pods) this.given(link.pod.reclaimedFor ?? '', link, nowMs);
    for (const known of this.#known.values()) {
      const isOver = known.given.values().every((link) => link.hasEnded);
      if (isOver && known.given.size > 0) known.endedMs ??= nowMs;
    }
    for (const pool of new Set(short.map((link) => link.pool))) this.#await(pool, nowMs);
  }

  /** A pod was given up for the one with the uid `forUid`; news only the first time. */
  given(forUid: string, link: PodLink, nowMs: number): void {
    const known = this.#known.get(forUid);
    if (known === undefined || known.given.has(link)) return;
    known.given.add(link);
    known.givenMs = nowMs;
    known.endedMs = null;
  }

  /** Where most pods were given up; empty = nowhere. */
  node(): string {
    const counts = new Map<string, number>();
    let most = '';
    for (const { given } of this.#known.values()) {
      for (const { pod } of given) {
        const node = pod.node ?? '';
        const count = (counts.get(node) ?? 0) + 1;
        counts.set(node, count);
        if (most === '' || count > (counts.get(most) ?? 0)) most = node;
      }
    }
    return most;
  }

  /** Those that something may be given up for. */
  list(): readonly Shortage[] {
    return [...this.#known.values()].flatMap((known) => {
      const { link, sinceMs, given, givenMs, endedMs } = known;
      const isAwaited = known.isAwaited || this.#isAwaitedElsewhere(link);
      if (!isAwaited && this.#deps.claims.genericIn(link.pool) > 0) return [];
      const { uid, size } = link.pod;
      return [{ podUid: uid, asks: size ?? null, sinceMs, isAwaited, givenCount: given.size, givenMs, endedMs }];
    });
  }

  /**
   * Says of as many pods of the pool as this gateway's claims miss that they are waited for: when they have had no room for a moment, since
   * most waits are over by then. What is too much is taken back when it has been for as long: under load the number goes up and down.
   */
  #await(pool: string, nowMs: number): void {
    const short = [...this.#known.values()].filter(({ link }) => link.pool === pool);
    for (const known of short) if (known.isAwaited && nowMs - known.saidMs >= HEARD_MS) this.#sayAgain(known, nowMs);
    const own = short.filter(({ isAwaited }) => isAwaited);
    const missing = this.#deps.claims.wantedIn(pool) - own.length;
    if (missing < 0) {
      const sinceMs = this.#surplusSinceMs.get(pool) ?? nowMs;
      this.#surplusSinceMs.set(pool, sinceMs);
      if (nowMs - sinceMs >= reclaimLimits.afterMs)
        for (const known of own.slice(missing)) this.#say(known, false, nowMs);
      return;
    }
    this.#surplusSinceMs.delete(pool);
    const free = short.filter(
      (known) =>
        !known.isAwaited && !this.#isAwaitedElsewhere(known.link) && nowMs - known.sinceMs >= reclaimLimits.afterMs,
    );
    for (const known of free.slice(0, missing)) this.#say(known, true, nowMs);
  }

  #say(known: Known, isAwaited: boolean, nowMs: number): void {
    known.isAwaited = isAwaited;
    known.saidMs = nowMs;
    this.#deps.cluster.awaited(known.link.pod, isAwaited ? this.#deps.ownership.gatewayId : '');
  }

  /** Two gateways may have said it of the same pod: the later one has it. One of them may have taken it back: it is free again. */
  #sayAgain(known: Known, nowMs: number): void {
    if (this.#isAwaitedElsewhere(known.link)) known.isAwaited = false;
    else if (known.link.pod.awaitedBy !== this.#deps.ownership.gatewayId) this.#say(known, true, nowMs);
  }

  #isAwaitedElsewhere({ pod }: PodLink): boolean {
    const { ownership } = this.#deps;
    const by = pod.awaitedBy ?? '';
    return by !== '' && by !== ownership.gatewayId && (ownership.isLive?.(by) ?? true);
  }
}
