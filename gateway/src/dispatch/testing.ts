import { type LambdaError, ServiceException } from '../errors.ts';
import { DispatchCore } from './core.ts';
import type { CoreEffects } from './effects.ts';
import type { InitError } from './failures.ts';
import { type DispatchLimits, defaultLimits } from './limits.ts';
import type { NotOwner } from './ownership.ts';
import { type CoreRules, noRules } from './rules.ts';
import type { CorePod, CoreRequest, Slot } from './slot.ts';
import { sweep } from './sweep.ts';
import type { ClusterDoor, DispatchObserver, Target } from './types.ts';

/** A target with sensible fields; a test says only what it is about. */
export function makeTarget(overrides: Partial<Target> = {}): Target {
  return {
    versionUid: 'uid-1',
    versionName: 'hello-0123456789',
    namespace: 'default',
    accountId: '000000000000',
    functionObjectName: 'hello',
    functionName: 'hello',
    version: '$LATEST',
    pool: 'nodejs24.x',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    memoryMiB: 128,
    timeoutMs: 3_000,
    perInstance: 1,
    reservedConcurrency: null,
    provisionedConcurrency: 0,
    idleTimeoutMs: 300_000,
    codeSha256: '0'.repeat(64),
    codeBytes: 100,
    layers: [],
    logFormat: 'Text',
    region: 'us-east-1',
    environment: async () => ({}),
    ...overrides,
  };
}

/** A cluster that nothing comes of; a test replaces what it is about. */
export const deafCluster: ClusterDoor = { claimed() {}, wantPods() {}, awaited() {}, reclaimed() {} };

/** An observer that keeps nothing. */
export const deafObserver: DispatchObserver = {
  started() {},
  reported() {},
  throttled() {},
  failed() {},
  claimed() {},
  initFailed() {},
  reclaimed() {},
};

/** Time that only moves when it is told to. */
export class ManualClock {
  #nowMs = 0;
  #timers: { atMs: number; call: () => void }[] = [];
  #soon: (() => void)[] = [];

  readonly nowMs = (): number => this.#nowMs;

  readonly after = (delayMs: number, call: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  readonly soon = (call: () => void): void => {
    this.#soon.push(call);
  };

  /** Runs what was put off to the end of the turn, and what that puts off. */
  settle(): void {
    for (let call = this.#soon.shift(); call !== undefined; call = this.#soon.shift()) call();
  }

  /** Moves on, timer by timer. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    this.settle();
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.call();
      this.settle();
    }
    this.#nowMs = untilMs;
  }
}

/** A pod of the core's tests. */
export interface TestPod extends CorePod {
  readonly name: string;
  isSuspect: boolean;
}

/** A pod that answers its heartbeats. */
export function makePod(name: string, zone = 'a', pool = 'nodejs24.x'): TestPod {
  return { name, zone, pool, isSuspect: false, preference: 0 };
}

/** A request of the core's tests. */
export interface TestRequest extends CoreRequest {
  readonly name: string;
}

/** A request whose caller stays, unless `isGone` holds. */
export function makeRequest(
  name: string,
  arrivedMs: number,
  bytes = 10,
  isGone: () => boolean = () => false,
): TestRequest {
  return { name, bytes, arrivedMs, attempts: 0, startedMs: 0, isAbandoned: isGone };
}

export type TestSlot = Slot<TestPod, TestRequest>;

/** Records what the core wants done. */
export class RecordedEffects implements CoreEffects<TestPod, TestRequest> {
  readonly log: string[] = [];
  /** Slots that were given a request or a claim, in order. */
  readonly started: {
    readonly request: string;
    readonly pod: string;
    readonly start: 'warm' | 'cold';
    readonly attempt: number;
  }[] = [];
  readonly claims: TestSlot[] = [];
  readonly failed: { readonly request: string; readonly error: LambdaError | NotOwner }[] = [];
  readonly released: TestPod[] = [];
  readonly wanted = new Map<string, number>();
  /** Links of these pods are dead: nothing can be sent. */
  readonly dead = new Set<TestPod>();

  run(slot: TestSlot): boolean {
    if (this.dead.has(slot.pod)) return false;
    if (slot.request !== null) this.#noteStart(slot.request, slot.pod, 'warm');
    return true;
  }

  claim(slot: TestSlot): void {
    this.claims.push(slot);
    this.log.push(`claim ${slot.pod.name}`);
    if (slot.request !== null) this.#noteStart(slot.request, slot.pod, 'cold');
  }

  release(pod: TestPod, reason: string): void {
    this.released.push(pod);
    this.log.push(`release ${pod.name}: ${reason}`);
  }

  fail(request: TestRequest, error: LambdaError | NotOwner): void {
    this.failed.push({ request: request.name, error });
    this.log.push(`fail ${request.name}`);
  }

  answer(request: TestRequest, error: InitError): void {
    this.log.push(`answer ${request.name}: ${error.payload}`);
  }

  wantPods(pool: string, count: number): void {
    this.wanted.set(pool, count);
  }

  initFailed(): void {
    this.log.push('init failed');
  }

  #noteStart(request: TestRequest, pod: TestPod, start: 'warm' | 'cold'): void {
    this.started.push({ request: request.name, pod: pod.name, start, attempt: request.attempts });
    this.log.push(`${start} ${request.name} on ${pod.name}`);
  }
}

export const testError = new ServiceException('test');

/** A core among fakes, and short words for what happens to it. */
export function startCore(limits: Partial<DispatchLimits> = {}, rules: CoreRules = noRules) {
  const clock = new ManualClock();
  const effects = new RecordedEffects();
  const all = { ...defaultLimits, ...limits };
  const core = new DispatchCore<TestPod, TestRequest>(all, clock, effects, { zone: () => 'a', rules });
  let requests = 0;
  const gone = new Set<string>();
  const slotOf = (pod: string): TestSlot => {
    for (const version of core.census.versions())
      for (const slot of version.slots) if (slot.pod.name === pod) return slot;
    throw new Error(`no slot on ${pod}`);
  };
  return {
    clock,
    effects,
    core,
    slotOf,
    /** The callers of these requests have gone away. */
    gone,
    arrive(target: Target, bytes = 10, onlyIdle = false): void {
      requests += 1;
      const name = `r${requests}`;
      core.arrive(
        target,
        makeRequest(name, clock.nowMs(), bytes, () => gone.has(name)),
        onlyIdle,
      );
    },
    pod(name: string, zone = 'a', pool = 'nodejs24.x'): void {
      core.claims.podReady(makePod(name, zone, pool));
    },
    answer: (pod: string) => core.answered(slotOf(pod)),
    report: (pod: string, isReusable = true) => core.reported(slotOf(pod), isReusable),
    finish(pod: string): void {
      core.answered(slotOf(pod));
      core.reported(slotOf(pod), true);
    },
    tick: () =>
      sweep(core, all, clock.nowMs(), (slot) =>
        core.lost(slot, { mayRetry: false, error: testError, isSuspicious: true }),
      ),
  };
}
