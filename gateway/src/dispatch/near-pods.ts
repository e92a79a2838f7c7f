import type { CoreClock } from './claims.ts';
import type { Gate } from './gate.ts';
import type { DispatchLimits } from './limits.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** Who acts on what NearPods finds out. */
export interface NearOwner<P extends CorePod, R extends CoreRequest> {
  /** Takes a generic pod that nobody waits for, of that zone or, when it may be, of another one; undefined = there is none to spare. */
  takeSpare(pool: string, zone: string, isOtherZoneFine: boolean): P | undefined;
  /** `pod` has left the pool: make it a slot of `version`. */
  claim(version: VersionState<P, R>, pod: P): void;
  readonly gate: Pick<Gate<P, R>, 'isShared' | 'arePodsReplaced'>;
}

/** Asks for an idle pod in a second, of which so many (0..1) in vain, that make a second a short one; see {@link isShort}. */
const BUSY_ASKS = 20;
const SHORT_SHARE = 0.25;
/** Short seconds in a row that are worth a pod. */
const SHORT_SECONDS = 3;

/**
 * Claims pods of its own zone for calls to come, at a gateway that is one of several owners of a function: what it cannot run goes to
 * another owner, which costs a hop and the CPU of two gateways, and may cross zones.
 *
 * - The first one as soon as somebody has asked for an idle pod, so that the next call finds one near.
 * - One more after three seconds in which own callers came often and a quarter of them found every pod busy. Each such pod makes the
 *   share smaller, so there are hardly more than own calls that run at the same time. It is idle for as long as any other, then it goes.
 *
 * Only while the pool has a pod to spare and gets new ones (not while the API server is away), and never for a version whose pods fail.
 */
export class NearPods<P extends CorePod, R extends CoreRequest> {
  readonly #limits: Pick<DispatchLimits, 'nearPauseMs'>;
  readonly #nowMs: CoreClock['nowMs'];
  readonly #owner: NearOwner<P, R>;
  readonly #zone: () => string;
  /** Versions by uid that get no first pod before that time: two gateways that see different rings must not go on for ever. */
  readonly #firstFromMs = new Map<string, number>();
  /** Versions that were asked for since the last second began, or were short in it. */
  #asked = new Set<VersionState<P, R>>();

  /** @param zone own zone at this moment; empty = unknown */
  constructor(
    limits: Pick<DispatchLimits, 'nearPauseMs'>,
    nowMs: () => number,
    owner: NearOwner<P, R>,
    zone: () => string,
  ) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#owner = owner;
    this.#zone = zone;
  }

  /** An own caller, or another gateway for one of its own, wanted an idle pod of `version`, and nothing else. */
  asked(version: VersionState<P, R>, isServed: boolean, isForwarded: boolean): void {
    const { asks } = version;
    if (!isForwarded) {
      if (asks.total === 0) this.#asked.add(version);
      asks.total += 1;
      if (!isServed) asks.inVain += 1;
    }
    this.#keepFirst(version);
  }

  /** To be called once a second. */
  second(): void {
    const asked = this.#asked;
    this.#asked = new Set();
    for (const version of asked) {
      const { asks } = version;
      asks.shortSeconds = isShort(asks) ? asks.shortSeconds + 1 : 0;
      asks.total = 0;
      asks.inVain = 0;
      if (asks.shortSeconds === SHORT_SECONDS) {
        asks.shortSeconds = 0;
        if (version.counts.Claiming === 0) this.#claim(version, false);
      }
      if (asks.shortSeconds > 0) this.#asked.add(version); // a second without asks ends the row
    }
    const nowMs = this.#nowMs();
    for (const [uid, fromMs] of this.#firstFromMs) if (fromMs <= nowMs) this.#firstFromMs.delete(uid);
  }

  /** Of another zone only when this gateway has no pod of the version at all. */
  #keepFirst(version: VersionState<P, R>): void {
    const nowMs = this.#nowMs();
    if (nowMs < (this.#firstFromMs.get(version.uid) ?? 0)) return;
    const zone = this.#zone();
    for (const { pod } of version.slots) if (pod.zone === zone) return;
    if (this.#claim(version, version.slots.size === 0))
      this.#firstFromMs.set(version.uid, nowMs + this.#limits.nearPauseMs);
  }

  #claim(version: VersionState<P, R>, isOtherZoneFine: boolean): boolean {
    const { gate } = this.#owner;
    if (version.failures > 0 || !version.isCurrent || !gate.isShared(version) || !gate.arePodsReplaced()) return false;
    const pod = this.#owner.takeSpare(version.target.pool, this.#zone(), isOtherZoneFine);
    if (pod === undefined) return false;
    this.#owner.claim(version, pod);
    return true;
  }
}

/** Asks of own callers for an idle pod of a version, in one second. */
export interface Asks {
  total: number;
  /** Of these found none. */
  inVain: number;
  /** Short seconds in a row, up to now. */
  shortSeconds: number;
}

/** Worked: 32 asks, 8 in vain: short; 32 asks, 7 in vain: not; 19 asks, all in vain: not, a hop now and then is cheaper than a pod. */
export function isShort({ total, inVain }: Pick<Asks, 'total' | 'inVain'>): boolean {
  return total >= BUSY_ASKS && inVain >= total * SHORT_SHARE;
}
