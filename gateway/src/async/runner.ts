import type { LeasedEvent, LineState, Settlement } from '../queue/event-queue.ts';
import { QueueUnavailable } from '../queue/event-queue.ts';
import { attempt } from './attempt.ts';
import { Pace } from './pace.ts';
import { type AttemptOutcome, isTooOld, planAttempt, planDelivery, planUnknown } from './plan.ts';
import { Room, type Share } from './room.ts';
import type { RunnerDeps } from './runner-options.ts';
import { defaultSettings } from './settings.ts';

/** A write that the store did not take is tried again after so long. */
const RESETTLE_MS = 500;
/** From one sweep to the next at least: something is always just about to be due where much waits. */
const MIN_SWEEP_MS = 100;

interface Running {
  readonly leased: LeasedEvent;
  leasedUntilMs: number;
}

/**
 * Takes due events of the lines that are this gateway's, runs each once, and says what becomes of it.
 *
 * A line is looked at when the store says that something is due, when one of its events has ended, and at each sweep, which is the truth: what
 * another gateway left behind shows up there when its leases run out. Of lines that have to wait for room the one goes first of which the fewest
 * events run: one slow function does not hold up the others. Nothing of an event is only in memory: whoever dies here loses no
 * event, and one that was on its way runs again.
 */
export class Runner {
  readonly #deps: RunnerDeps;
  readonly #paces = new Map<string, Pace>();
  readonly #running = new Set<Running>();
  readonly #room: Room;
  /** Lines that may have something due: they are asked for as there is room. */
  readonly #hungry = new Map<string, Pace>();
  #isStopping = false;
  #hasEnded = false;
  #isSweeping = false;
  #cancelSweep: () => void = () => undefined;
  #onIdle: (() => void)[] = [];

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
    this.#room = new Room(deps.limits);
    deps.queue.onDue((line) => this.#due(line));
  }

  /** Events that run now, deliveries to destinations included. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Begins, once. */
  start(): void {
    void this.#sweep();
  }

  /** Takes no more events; what runs goes on, and so do its leases. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Resolves when nothing runs; for after `stop`. */
  whenIdle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Ends the sweeps. What still runs is run again by others when its lease has run out. */
  end(): void {
    this.#isStopping = true;
    this.#hasEnded = true;
    this.#cancelSweep();
  }

  #due(line: string): void {
    if (this.#isStopping || !this.#deps.isReady() || !this.#deps.isMine(line)) return;
    const pace = this.#paceOf(line);
    pace.isDry = false;
    this.#hungry.set(line, pace);
    this.#feed();
  }

  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const { queue, now, sweepMs, after, observer } = { ...this.#deps, ...this.#deps.limits };
    let pauseMs = sweepMs;
    try {
      await this.#renew();
      const mayRun = !this.#isStopping && this.#deps.isReady();
      const lines = mayRun ? await queue.lines(now()) : [];
      const own = lines.filter(({ line }) => this.#deps.isMine(line));
      observer.swept(own, now());
      if (mayRun) {
        const soonestMs = this.#lookAt(own);
        pauseMs = Math.min(Math.max(soonestMs - now(), MIN_SWEEP_MS), sweepMs);
      }
    } catch (err) {
      this.#deps.onProblem(err);
    }
    this.#isSweeping = false;
    if (!this.#hasEnded) this.#cancelSweep = after(pauseMs, () => void this.#sweep());
  }

  /** Begins what is due, and answers when something will be next. */
  #lookAt(own: readonly LineState[]): number {
    const nowMs = this.#deps.now();
    let soonestMs = Number.POSITIVE_INFINITY;
    const seen = new Set<string>();
    for (const { line, nextMs } of own) {
      seen.add(line);
      if (nextMs === undefined) continue;
      if (nextMs <= nowMs) this.#due(line);
      else soonestMs = Math.min(soonestMs, nextMs);
    }
    for (const [line, { running, isFilling }] of this.#paces) {
      if (running > 0 || isFilling || seen.has(line)) continue;
      this.#paces.delete(line);
      this.#hungry.delete(line);
    }
    return soonestMs;
  }

  /** Asks for events of hungry lines while there is room. */
  #feed(): void {
    while (!(this.#isStopping || this.#room.isFull)) {
      const next = this.#hungriest();
      if (next === undefined) return;
      const [line, pace] = next;
      this.#hungry.delete(line);
      void this.#fill(line, pace, this.#room.ask(pace.room(this.#deps.now())));
    }
  }

  /** The line with the fewest events that run. Forgets those that may have no more now: they are hungry again when they may. */
  #hungriest(): [line: string, pace: Pace] | undefined {
    const nowMs = this.#deps.now();
    let found: [line: string, pace: Pace] | undefined;
    for (const [line, pace] of this.#hungry)
      if (pace.isFilling || pace.room(nowMs) === 0) this.#hungry.delete(line);
      else if (found === undefined || pace.running < found[1].running) found = [line, pace];
    return found;
  }

  /** Takes events of a line, once. */
  async #fill(line: string, pace: Pace, share: Share): Promise<void> {
    pace.isFilling = true;
    pace.isDry = true; // what comes while the store is asked says otherwise
    const leased = await this.#lease(line, share);
    this.#room.answered(share);
    pace.isFilling = false;
    for (const each of leased ?? []) {
      pace.isDry = false;
      void this.#run(each, pace);
    }
    if (leased !== null && !pace.isDry) this.#hungry.set(line, pace);
    this.#feed();
  }

  /** null = the store is in trouble. */
  async #lease(line: string, { count, bytes: maxBytes }: Share): Promise<readonly LeasedEvent[] | null> {
    const { queue, now, limits, onProblem } = this.#deps;
    try {
      return await queue.lease(line, { count, nowMs: now(), leaseMs: limits.leaseMs, maxBytes });
    } catch (err) {
      onProblem(err);
      return null;
    }
  }

  async #run(leased: LeasedEvent, pace: Pace): Promise<void> {
    const running = { leased, leasedUntilMs: leased.leasedUntilMs };
    const { line, payload } = leased.event;
    this.#running.add(running);
    this.#room.begun(payload.length);
    pace.running += 1;
    try {
      const settlement = await this.#work(leased, pace);
      if (await this.#settle(leased, settlement)) this.#deps.observer.settled(line, settlement);
      if (settlement.kind === 'retry' && settlement.dueMs <= this.#deps.now()) pace.isDry = false;
    } catch (err) {
      this.#deps.onProblem(err); // its lease runs out, and it runs again
    } finally {
      this.#running.delete(running);
      this.#room.ended(payload.length);
      pace.running -= 1;
      if (!pace.isDry) this.#hungry.set(line, pace);
      this.#feed();
      if (this.#running.size === 0) for (const call of this.#onIdle.splice(0)) call();
    }
  }

  async #work(leased: LeasedEvent, pace: Pace): Promise<Settlement> {
    const { event, progress } = leased;
    const { now, observer } = this.#deps;
    const known = this.#deps.settingsOf(event.line, event.qualifier);
    const settings = known ?? defaultSettings;
    if (progress.delivery !== undefined && known === null) return planUnknown(progress, now());
    if (progress.delivery !== undefined)
      return planDelivery(progress, await this.#deps.deliver(leased, settings), settings, now());
    if (isTooOld(event, settings, now()))
      return planAttempt(event, progress, { kind: 'ended', condition: 'EventAgeExceeded' }, settings, now());
    const lateMs = now() - leased.dueMs;
    observer.begun(event.line, now() - event.acceptedMs);
    const outcome = await attempt(event, this.#deps);
    this.#note(event.line, pace, outcome, lateMs);
    return planAttempt(event, progress, outcome, settings, now());
  }

  #note(line: string, pace: Pace, outcome: AttemptOutcome, lateMs: number): void {
    if (outcome.kind === 'ran') pace.ran(this.#deps.now(), lateMs);
    if (outcome.kind === 'refused' || outcome.kind === 'missing')
      this.#deps.after(pace.refused(this.#deps.now()), () => this.#due(line));
  }

  /**
   * Writes down what becomes of an event; a store that is away is asked again until the process ends, also after the lease is over: who is late
   * is heard as long as nobody else has taken the event. Answers whether it was heard.
   */
  async #settle({ lease }: LeasedEvent, settlement: Settlement): Promise<boolean> {
    const { queue, after } = this.#deps;
    for (;;) {
      try {
        return await queue.settle(lease, settlement);
      } catch (err) {
        if (!(err instanceof QueueUnavailable) || this.#hasEnded) throw err;
      }
      await new Promise<void>((resolve) => void after(RESETTLE_MS, resolve));
    }
  }

  /** Holds the leases of what runs for long: a third of each lease is used up by then. */
  async #renew(): Promise<void> {
    const { queue, now, limits } = this.#deps;
    const untilMs = now() + limits.leaseMs;
    const due = [...this.#running].filter(({ leasedUntilMs }) => untilMs - leasedUntilMs > limits.leaseMs / 3);
    await Promise.all(
      due.map(async (running) => {
        if (await queue.renew(running.leased.lease, untilMs)) running.leasedUntilMs = untilMs;
      }),
    );
  }

  #paceOf(line: string): Pace {
    const pace = this.#paces.get(line) ?? new Pace(this.#deps.limits.maxRunning);
    this.#paces.set(line, pace);
    return pace;
  }
}
