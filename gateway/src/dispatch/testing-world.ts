import fc from 'fast-check';
import { ServiceException, TooManyRequests } from '../errors.ts';
import { DispatchCore } from './core.ts';
import { defaultLimits } from './limits.ts';
import { sweep } from './sweep.ts';
import {
  ManualClock,
  makePod,
  makeRequest,
  makeTarget,
  RecordedEffects,
  type TestPod,
  type TestRequest,
  type TestSlot,
} from './testing.ts';
import type { Target } from './types.ts';

const limitQueue = { maxWaitMs: 1_000, maxCount: 4 };
/** Seven versions of five functions: no cap; a cap of 2 over two versions; provisioned; those whose calls wait at a limit, with a cap and without. */
const targets: readonly Target[] = [
  makeTarget({ versionUid: 'a', functionObjectName: 'a', idleTimeoutMs: 2_000 }),
  makeTarget({ versionUid: 'b1', functionObjectName: 'b', reservedConcurrency: 2, idleTimeoutMs: 500 }),
  makeTarget({ versionUid: 'b2', functionObjectName: 'b', reservedConcurrency: 2, idleTimeoutMs: 500 }),
  makeTarget({ versionUid: 'c', functionObjectName: 'c', provisionedConcurrency: 1, idleTimeoutMs: 500 }),
  makeTarget({ versionUid: 'd1', functionObjectName: 'd', reservedConcurrency: 1, idleTimeoutMs: 500, limitQueue }),
  makeTarget({ versionUid: 'd2', functionObjectName: 'd', reservedConcurrency: 1, idleTimeoutMs: 500, limitQueue }),
  makeTarget({ versionUid: 'e', functionObjectName: 'e', idleTimeoutMs: 500, limitQueue }),
];
const limits = {
  ...defaultLimits,
  accountConcurrency: 12,
  minUnreservedConcurrency: 4,
  callsPerConcurrency: 3,
  maxQueued: 6,
  capacityBudgetMs: 5_000,
};
const lost = new ServiceException('lost');

/** What may happen. */
export type Action =
  | { readonly kind: 'arrive'; readonly target: number }
  | { readonly kind: 'pod'; readonly zone: number }
  | {
      readonly kind:
        | 'genericGone'
        | 'confirm'
        | 'answer'
        | 'report'
        | 'end'
        | 'lose'
        | 'refuse'
        | 'break'
        | 'free'
        | 'dialled'
        | 'leave';
      readonly pick: number;
    }
  | { readonly kind: 'adopt'; readonly isBusy: boolean }
  | { readonly kind: 'dial'; readonly isLabelled: boolean }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'versions'; readonly mask: number };

const pick = fc.nat(99);
const arrive = (...of: number[]) => fc.record({ kind: fc.constant('arrive' as const), target: fc.constantFrom(...of) });
type Happening = Extract<Action, { readonly pick: number }>['kind'];
const happening = (...kinds: Happening[]) => fc.record({ kind: fc.constantFrom(...kinds), pick });
const event: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pod' as const), zone: fc.nat(2) }) },
  { weight: 6, arbitrary: happening('answer') },
  { weight: 5, arbitrary: happening('report') },
  { weight: 2, arbitrary: happening('confirm') },
  { weight: 2, arbitrary: happening('refuse') },
  { weight: 2, arbitrary: happening('genericGone', 'end', 'lose', 'break', 'free', 'dialled', 'leave') },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('adopt' as const), isBusy: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dial' as const), isLabelled: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1, 5, 21, 150, 600) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(6_000, 20_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('versions' as const), mask: fc.integer({ min: 1, max: 127 }) }),
  },
);

/** What a run calls: all functions, or one alone, which gets it into deeper water. */
const action = (...of: number[]) => fc.oneof({ weight: 8, arbitrary: arrive(...of) }, { weight: 16, arbitrary: event });
/** Sequences of what may happen, up to a length. */
export const runs = (maxLength: number) =>
  fc.oneof(
    fc.array(action(0, 1, 2, 3, 4, 5, 6), { minLength: 1, maxLength }),
    fc.array(action(0), { minLength: 1, maxLength }),
    fc.array(action(1, 2), { minLength: 1, maxLength }),
    fc.array(action(4, 5), { minLength: 1, maxLength }),
    fc.array(action(0, 6), { minLength: 1, maxLength }),
  );

/** The core among fakes, and what is known of every request from outside. */
export class World {
  readonly clock = new ManualClock();
  #count = 0;
  readonly effects = new RecordedEffects();
  /** No two steps are at the same time. */
  readonly nowMs = (): number => this.clock.nowMs() + this.#count / 1e6;
  readonly core = new DispatchCore<TestPod, TestRequest>(limits, { ...this.clock, nowMs: this.nowMs }, this.effects, {
    zone: () => 'a',
  });
  readonly generic: TestPod[] = [];
  /** Pods whose first dial is under way. */
  readonly dialled: TestPod[] = [];
  readonly arrived = new Map<string, string[]>();
  readonly settled: string[] = [];
  readonly targetOf = new Map<string, string>();
  /** Requests whose caller has gone away. */
  readonly gone = new Set<string>();

  readonly #targets: readonly Target[];

  /** @param perInstance invocations that a pod takes at once */
  constructor(perInstance = 1) {
    this.#targets = targets.map((target) => ({ ...target, perInstance }));
    this.#dial(null); // known at the start: holds provisioned concurrency
    this.core.setVersions(new Map(this.#targets.map((target) => [target.versionUid, target])));
  }

  slots(...states: TestSlot['state'][]): TestSlot[] {
    const all = [...this.core.census.versions()].flatMap((version) => [...version.slots]);
    return all.filter((slot) => states.includes(slot.state));
  }

  run(step: Action): void {
    this.#count += 1;
    if (step.kind === 'arrive') this.#arrive(step.target);
    else if (step.kind === 'pod') this.#addPod('abc'[step.zone] ?? 'a');
    else if (step.kind === 'adopt')
      this.core.adopt(this.#newPod('a'), this.#targets[0] ?? makeTarget(), 'Idle', step.isBusy ? 1 : 0);
    else if (step.kind === 'dial') this.#dial(step.isLabelled ? 'a' : null);
    else if (step.kind === 'time') this.#pass(step.ms);
    else if (step.kind === 'versions') {
      const current = this.#targets.filter((_, index) => (step.mask & (1 << index)) !== 0);
      this.core.setVersions(new Map(current.map((target) => [target.versionUid, target])));
    } else this.#happen(step.kind, step.pick);
    this.clock.settle();
  }

  /** Lets everything that is under way come to its end. */
  finishAll(): void {
    for (const slot of this.slots('Busy', 'Starting'))
      this.core.lost(slot, { mayRetry: false, error: lost, isSuspicious: false });
    for (const slot of this.slots('Finishing')) this.core.reported(slot, true);
    for (const slot of this.slots('Claiming')) this.#confirm(slot);
    for (const slot of this.slots('Foreign')) this.core.freed(slot);
    this.run({ kind: 'time', ms: 6_000 });
  }

  #happen(
    kind: Exclude<Action['kind'], 'arrive' | 'pod' | 'adopt' | 'dial' | 'time' | 'versions'>,
    index: number,
  ): void {
    const choose = (slots: TestSlot[], then: (slot: TestSlot) => void) => {
      const slot = slots[index % Math.max(1, slots.length)];
      if (slot !== undefined) then(slot);
    };
    if (kind === 'leave') {
      const names = [...this.targetOf.keys()];
      const name = names[names.length - 1 - (index % 6)];
      if (name !== undefined) this.gone.add(name);
    } else if (kind === 'dialled') this.#endDial(index);
    else if (kind === 'genericGone') {
      const free = this.generic.filter((pod) => !this.effects.claims.some((slot) => slot.pod === pod));
      const pod = free[index % Math.max(1, free.length)];
      if (pod !== undefined) this.core.claims.podGone(pod);
    } else if (kind === 'confirm') choose(this.slots('Claiming', 'Starting'), (slot) => this.#confirm(slot));
    else if (kind === 'answer') choose(this.slots('Busy', 'Starting'), (slot) => this.#answer(slot));
    else if (kind === 'report') choose(this.slots('Finishing'), (slot) => this.core.reported(slot, true));
    else if (kind === 'end') choose(this.slots('Finishing'), (slot) => this.core.reported(slot, false));
    else if (kind === 'break') choose(this.slots('Idle'), (slot) => this.effects.dead.add(slot.pod));
    else if (kind === 'free') choose(this.slots('Foreign'), (slot) => this.core.freed(slot));
    else {
      const all = this.slots('Claiming', 'Starting', 'Idle', 'Busy', 'Finishing', 'Foreign');
      const mayRetry = kind === 'refuse';
      const isBusy = mayRetry && index % 2 === 0;
      choose(all, (slot) => this.core.lost(slot, { mayRetry, error: lost, isSuspicious: !isBusy, isBusy }));
    }
  }

  /** The first of the slots of a pod is the one that is claimed. */
  #confirm(slot: TestSlot): void {
    this.core.confirmed(slot.mates?.[0] ?? slot);
  }

  #answer(slot: TestSlot): void {
    if (slot.mates !== null && slot.state === 'Starting') this.core.confirmed(slot); // an agent says that first
    this.settled.push(slot.request?.name ?? 'nobody');
    this.core.answered(slot);
  }

  #arrive(index: number): void {
    const target = this.#targets[index] ?? makeTarget();
    const name = `r${this.#count}`;
    try {
      this.core.arrive(
        target,
        makeRequest(name, this.nowMs(), 1, () => this.gone.has(name)),
      );
    } catch (error) {
      if (!(error instanceof TooManyRequests)) throw error;
      return;
    }
    this.targetOf.set(name, target.versionUid);
    this.arrived.set(target.versionUid, [...(this.arrived.get(target.versionUid) ?? []), name]);
  }

  #newPod(zone: string): TestPod {
    return { ...makePod(`p${this.#count}`, zone), takesSeveral: true };
  }

  #dial(versionUid: string | null): void {
    const pod = this.#newPod('b');
    this.dialled.push(pod);
    this.core.arrivals.began(pod, versionUid);
  }

  /** Some are nothing, some are claimed, whatever was said before. */
  #endDial(index: number): void {
    const [pod] = this.dialled.splice(index % Math.max(1, this.dialled.length), 1);
    if (pod === undefined) return;
    if (index % 3 > 0) this.core.adopt(pod, this.#targets[0] ?? makeTarget(), 'Idle', index % 3 === 1 ? 1 : 0);
    this.core.arrivals.ended(pod);
  }

  #addPod(zone: string): void {
    const pod = this.#newPod(zone);
    this.generic.push(pod);
    this.core.claims.podReady(pod);
  }

  #pass(ms: number): void {
    this.clock.advance(ms);
    sweep(this.core, limits, this.nowMs(), (slot) =>
      this.core.lost(slot, { mayRetry: false, error: lost, isSuspicious: true }),
    );
  }
}
