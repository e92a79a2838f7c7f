import type { BatchOutcome } from './batch-outcome.ts';
import { type BatchPlan, type Part, planBatch, type TrySettings } from './plan-batch.ts';
import {
  afterCall,
  type OpenWindow,
  planWindow,
  readState,
  type WindowCall,
  type WindowSituation,
  windowMembers,
} from './tumbling-window.ts';

/** The open window of a lane, and the call that is under way: in several parts when some of it failed. Without windows it does nothing. */
export class WindowCalls {
  #window: OpenWindow | null;
  #call: WindowCall | null = null;

  /** @param window of the checkpoint; null = none is open */
  constructor(window: OpenWindow | null) {
    this.#window = window;
  }

  get window(): OpenWindow | null {
    return this.#window;
  }

  /** Begins the next call: how many of the records that wait it takes. null = none is due. */
  next(seen: Omit<WindowSituation, 'open'>): number | null {
    const call = planWindow({ ...seen, open: this.#window });
    if (call === null) return null;
    this.#window = call.window;
    this.#call = call;
    return call.count;
  }

  /** What stands beside the records. @param isLast it is the last part of the call */
  members(place: Parameters<typeof windowMembers>[1], isLast: boolean): Readonly<Record<string, unknown>> {
    if (this.#call === null || this.#window === null) return {};
    return windowMembers({ ...this.#call, window: this.#window, isFinal: this.#call.isFinal && isLast }, place);
  }

  /** As planBatch; and a part that went well without a state has failed. Keeps the state. */
  plan(part: Part, outcome: BatchOutcome, settings: TrySettings & { readonly isLast: boolean }): BatchPlan {
    const plan = planBatch(part, outcome, settings);
    const [call, window] = [this.#call, this.#window];
    if (call === null || window === null || outcome.kind !== 'ran') return plan;
    const state = readState(outcome.answer);
    const isFinal = call.isFinal && settings.isLast && plan.next.length === 0;
    if (isFinal) return plan;
    if (state === null && plan.next.length === 0 && plan.gaveUp === null) {
      const failed = planBatch(part, { kind: 'failed', executedVersion: outcome.executedVersion }, settings);
      return { ...failed, result: { kind: 'badAnswer', why: 'it has no state' } };
    }
    if (state !== null && plan.done.length > 0) this.#window = afterCall({ ...call, window, isFinal: false }, state);
    return plan;
  }

  /** The last part of the call has ended; the window, too, when the call was its final one. */
  close(): void {
    if (this.#call?.isFinal === true) this.#window = null;
    this.#call = null;
  }
}
