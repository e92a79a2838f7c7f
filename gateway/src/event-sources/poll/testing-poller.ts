import type { BatchResult } from '../mapping/plan-conditions.ts';
import { mappingView } from '../mapping/testing-view.ts';
import type { Shard } from '../record.ts';
import type { SourceProblem } from '../source-problem.ts';
import { TestClock } from '../testing-clock.ts';
import type { BatchOutcome } from './batch-outcome.ts';
import type { Load } from './plan-share.ts';
import type { BatchCall, PollerDeps, PollerObserver } from './poller.ts';
import { Rooms } from './rooms.ts';
import type { Failure } from './tell-failure.ts';

export const testShard: Shard = { id: 'shard', parents: [] };

/** Nothing else runs. */
export const testLoad: Omit<Load, 'batchesRunning' | 'heldBytes'> = {
  concurrency: 100,
  asyncRunning: 0,
};

/** What a function answers to the ids of a batch. */
export type Answer = (
  ids: readonly string[],
  event: Readonly<Record<string, unknown>>,
) => BatchOutcome | Promise<BatchOutcome>;

export const ran = (answer: unknown = null): BatchOutcome => ({
  kind: 'ran',
  answer: Buffer.from(JSON.stringify(answer)),
  executedVersion: '$LATEST',
});
export const failed: BatchOutcome = { kind: 'failed', executedVersion: '$LATEST' };
export const refused: BatchOutcome = { kind: 'refused', statusCode: 429 };
/** An answer that names these as failed. */
export const reported = (...ids: readonly string[]): BatchOutcome =>
  ran({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

/** A poller's surroundings: a clock that jumps, a function that answers at once, and notes of all that happens. */
export class PollerWorld {
  readonly clock = new TestClock();
  /** For what is read ahead. */
  readonly rooms = new Rooms(() => testLoad, this.clock);
  /** Ids of each batch that was begun. */
  readonly batches: string[][] = [];
  readonly events: Readonly<Record<string, unknown>>[] = [];
  readonly results: BatchResult['kind'][] = [];
  readonly problems: (SourceProblem | null)[] = [];
  readonly told: Failure[] = [];
  readonly counts = { polled: 0, filteredOut: 0, deleted: 0, dropped: 0, told: 0 };
  /** What the function does. */
  answer: Answer = () => ran();
  /** A batch may be begun. */
  hasRoom = true;
  /** The claim is young enough. */
  isClaimYoung = true;
  /** Tries to tell of failures that fail. */
  deafFor = 0;
  readonly #held = { bytes: 0, count: 0 };

  get running(): number {
    return this.#held.count;
  }

  deps(over: Partial<PollerDeps> = {}): PollerDeps {
    const { clock } = this;
    const whenRoom = async (signal: AbortSignal): Promise<void> => {
      while (!(this.hasRoom && this.isClaimYoung)) await clock.sleep(100, signal);
      signal.throwIfAborted();
    };
    return {
      mapping: mappingView(),
      shard: testShard,
      claim: { key: { mapping: 'm', shard: testShard.id }, epoch: 1 },
      filter: () => true,
      clock,
      random: () => 1,
      newRequestId: () => `request ${this.batches.length}`,
      whenRoom,
      mayBegin: () => this.isClaimYoung,
      takeRoom: async (_bytes, signal) => {
        while (!this.hasRoom) await clock.sleep(100, signal);
        this.#held.count += 1;
        return {
          release: () => {
            this.#held.count -= 1;
          },
        };
      },
      invoke: (_mapping, call) => this.#invoke(call),
      observer: this.#observer(),
      ...over,
    };
  }

  readonly tell = async (_mapping: unknown, failure: Failure): Promise<void> => {
    this.deafFor -= 1;
    if (this.deafFor >= 0) throw new Error('nobody hears');
    this.told.push(failure);
  };

  async #invoke({ event }: BatchCall): Promise<BatchOutcome> {
    const value = JSON.parse(event.toString());
    const ids = value.Records.map(({ id }: { id: string }) => id);
    this.batches.push(ids);
    this.events.push(value);
    return this.answer(ids, value);
  }

  #observer(): PollerObserver {
    const add =
      (name: keyof PollerWorld['counts']) =>
      (count: number): void => {
        this.counts[name] += count;
      };
    return {
      polled: add('polled'),
      filteredOut: add('filteredOut'),
      invoked: () => undefined,
      ended: ({ kind }) => void this.results.push(kind),
      deleted: add('deleted'),
      dropped: add('dropped'),
      told: add('told'),
      notTold: () => undefined,
      behind: () => undefined,
      problem: (problem) => void (problem !== null && this.problems.push(problem)),
    };
  }
}
