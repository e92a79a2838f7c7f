import { isConflict, isNotFound } from './errors.ts';
import { microTime } from './event-recorder.ts';
import { type Lease, type LeaseSpec, leases } from './kinds.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Runtime } from './runtime.ts';

/** Whether this process may write now. */
export interface Leadership {
  /**
   * False as soon as the lease could not be renewed for `renewDeadlineMs`, judged by the monotonic clock at the moment of the call:
   * ask before each write, so that a process that was paused does not write after another one took over.
   */
  isLeading(): boolean;
}

/** One candidate for one lease. */
export interface LeaderElection {
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this candidate; no two processes may share it. */
  readonly identity: string;
  /** Ends the election; a held lease is given back. */
  readonly signal: AbortSignal;
  /** Called once, when the lease is held. */
  readonly onLeading: (leadership: Leadership) => void;
  /** Called when the lease was held and is no more: the caller ends the process. */
  readonly onLost: (reason: string) => void;
  /** Others take over when the holder was silent so long, milliseconds. Default 15,000. */
  readonly leaseDurationMs?: number;
  /** The holder gives up when it could not renew for so long, milliseconds. Default 10,000. */
  readonly renewDeadlineMs?: number;
  /** Between tries, milliseconds; up to 20 % longer. Default 2,000. */
  readonly retryPeriodMs?: number;
}

type LeaseCalls = Pick<Kubernetes, 'get' | 'create' | 'replace'>;
/** client-go's JitterFactor: the renewals of many processes do not stay in step. */
const jitterFactor = 1.2;

/**
 * Leader election on a Lease by client-go's rules. *Candidate*: reads the lease every `retryPeriodMs`; takes it when it is free, given back, or
 * unchanged for its duration since *this process saw it change* (the record's own times are another machine's clock and count
 * nothing). *Leader*: renews every `retryPeriodMs`; writes carry the resource version, so that two cannot both take it. *Lost*: another holder is seen, or no
 * renewal succeeded for `renewDeadlineMs`. Resolves after the end of the signal or after `onLost`.
 *
 * Fails closed: without the API server nobody becomes leader, and a leader stops.
 *
 * @throws RangeError unless leaseDurationMs > renewDeadlineMs > 1.2 × retryPeriodMs > 0
 * @see https://github.com/kubernetes/client-go/blob/master/tools/leaderelection/leaderelection.go
 */
export async function runLeaderElection(
  kubernetes: LeaseCalls,
  runtime: Runtime,
  onProblem: (problem: unknown) => void,
  election: LeaderElection,
): Promise<void> {
  const { signal, retryPeriodMs = 2_000 } = election;
  const candidate = new Candidate(kubernetes, runtime, election);
  let isLeader = false;
  while (!signal.aborted) {
    const held = await inTime(candidate, runtime, onProblem);
    if (held && !isLeader) election.onLeading(candidate);
    isLeader ||= held;
    if (isLeader && !candidate.isLeading()) {
      election.onLost(
        candidate.holder() === election.identity
          ? 'the lease could not be renewed in time'
          : `${candidate.holder()} holds the lease`,
      );
      return;
    }
    await runtime.sleep(retryPeriodMs * (1 + (jitterFactor - 1) * runtime.random()), signal);
  }
  if (isLeader) await candidate.release().catch(onProblem);
}

/** One try that ends in time even on a connection that is silent: a leader has to notice its own end. */
async function inTime(candidate: Candidate, runtime: Runtime, onProblem: (problem: unknown) => void): Promise<boolean> {
  const tried = new AbortController();
  const attempt = candidate.tryHold().catch((error: unknown) => {
    if (!isConflict(error)) onProblem(error);
    return false;
  });
  const held = await Promise.race([attempt, runtime.sleep(candidate.remainingMs(), tried.signal).then(() => false)]);
  tried.abort();
  return held;
}

class Candidate implements Leadership {
  readonly #kubernetes: LeaseCalls;
  readonly #runtime: Runtime;
  readonly #election: LeaderElection;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  /** The lease as it was seen last; null before it was seen. */
  #seen: Lease | null = null;
  /** When `#seen` changed, monotonic. */
  #seenMs = 0;
  /** When a try that succeeded was begun, monotonic; null while another one may lead. */
  #renewedMs: number | null = null;

  constructor(kubernetes: LeaseCalls, runtime: Runtime, election: LeaderElection) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = election;
    if (!(leaseDurationMs > renewDeadlineMs && renewDeadlineMs > jitterFactor * retryPeriodMs && retryPeriodMs > 0)) {
      throw new RangeError(
        `bad lease times: ${leaseDurationMs} > ${renewDeadlineMs} > 1.2 x ${retryPeriodMs} > 0 does not hold`,
      );
    }
    this.#kubernetes = kubernetes;
    this.#runtime = runtime;
    this.#election = election;
    this.#leaseDurationMs = leaseDurationMs;
    this.#renewDeadlineMs = renewDeadlineMs;
  }

  isLeading(): boolean {
    return this.#renewedMs !== null && this.#runtime.nowMs() - this.#renewedMs < this.#renewDeadlineMs;
  }

  /** Until leadership ends unless it is renewed; the whole deadline while another one leads. */
  remainingMs(): number {
    if (this.#renewedMs === null) return this.#renewDeadlineMs;
    return Math.max(0, this.#renewedMs + this.#renewDeadlineMs - this.#runtime.nowMs());
  }

  holder(): string {
    return this.#seen?.spec.holderIdentity ?? '';
  }

  /** One try to take or renew. True when the lease is held now. */
  async tryHold(): Promise<boolean> {
    const startMs = this.#runtime.nowMs(); // an own renewal counts from here: the record may be as old as that
    const lease = await this.#read();
    if (lease === null)
      return this.#held(
        await this.#kubernetes.create(leases, { metadata: this.#meta(), spec: this.#record(null) }),
        startMs,
      );
    this.#observe(lease);
    if (this.#isOthers(lease)) {
      this.#renewedMs = null;
      return false;
    }
    const { resourceVersion } = lease.metadata;
    return this.#held(
      await this.#kubernetes.replace(leases, {
        metadata: { ...this.#meta(), resourceVersion },
        spec: this.#record(lease.spec),
      }),
      startMs,
    );
  }

  /** Gives the lease back, so that the next candidate need not wait it out. */
  async release(): Promise<void> {
    if (this.#seen === null || this.holder() !== this.#election.identity) return;
    const spec = { ...this.#record(this.#seen.spec), holderIdentity: '', leaseDurationSeconds: 1 };
    const { resourceVersion } = this.#seen.metadata;
    this.#renewedMs = null;
    await this.#kubernetes.replace(leases, { metadata: { ...this.#meta(), resourceVersion }, spec });
  }

  async #read(): Promise<Lease | null> {
    try {
      return await this.#kubernetes.get(leases, this.#election.namespace, this.#election.name);
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  #held(lease: Lease, startMs: number): boolean {
    this.#observe(lease);
    this.#renewedMs = startMs;
    return true;
  }

  /** Another one's renewal counts from when it was seen: it may have been written a moment before the answer to a slow read. */
  #observe(lease: Lease): void {
    if (this.#seen?.metadata.resourceVersion !== lease.metadata.resourceVersion) this.#seenMs = this.#runtime.nowMs();
    this.#seen = lease;
  }

  #isOthers({ spec }: Lease): boolean {
    const { holderIdentity = '', leaseDurationSeconds } = spec;
    if (holderIdentity === '' || holderIdentity === this.#election.identity) return false;
    const durationMs = leaseDurationSeconds === undefined ? this.#leaseDurationMs : leaseDurationSeconds * 1000;
    return this.#runtime.nowMs() - this.#seenMs < durationMs;
  }

  #record(before: LeaseSpec | null): LeaseSpec {
    const isRenewal = before?.holderIdentity === this.#election.identity;
    const nowText = microTime(this.#runtime.wallMs());
    return {
      holderIdentity: this.#election.identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: isRenewal ? (before.acquireTime ?? nowText) : nowText,
      renewTime: nowText,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (isRenewal || before === null ? 0 : 1),
    };
  }

  #meta(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#election.namespace, name: this.#election.name };
  }
}
