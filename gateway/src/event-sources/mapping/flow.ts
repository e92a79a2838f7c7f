import type { PollerObserver } from '../poll/poller.ts';
import type { SourceProblem } from '../source-problem.ts';
import type { BatchResult, FlowProblem } from './plan-conditions.ts';

/** How the part of a mapping fares that one gateway has. JSON: gateways tell each other. */
export interface FlowReport {
  /** The generation of the spec that all of its pollers go by; null = it has none. */
  readonly polledGeneration: number | null;
  /** Shards that the source has; null = not known here. */
  readonly shards: number | null;
  /** Shards that it reads, those that it is giving up included. */
  readonly heldShards: number;
  /** What stands in the way of the first shard that something does; null = nothing. */
  readonly problem: FlowProblem | null;
  /** null = none has ended here. */
  readonly lastBatch: { readonly result: BatchResult; readonly atMs: number } | null;
}

/** What a flow hears of its pollers. */
export type FlowObserver = Pick<PollerObserver, 'ended' | 'problem'>;

/** Calls that are refused for longer than this are a problem of the mapping; before, polling just slows down. */
export const THROTTLED_MS = 60_000;

/** Collects what the pollers of one mapping on this gateway tell of their shards. */
export class Flow {
  readonly #problems = new Map<string, FlowProblem>();
  readonly #now: () => number;
  readonly #onPositionLost: (message: string) => void;
  #lastBatch: FlowReport['lastBatch'] = null;
  /** Of the first batch in a row of batches that were all refused; null = the latest one ran. */
  #throttledSinceMs: number | null = null;

  /** @param onPositionLost told at once: the problem itself is over with the next read */
  constructor({ now, onPositionLost }: { now: () => number; onPositionLost: (message: string) => void }) {
    this.#now = now;
    this.#onPositionLost = onPositionLost;
  }

  get lastBatch(): FlowReport['lastBatch'] {
    return this.#lastBatch;
  }

  /** What stands in the way; null = nothing does. */
  get problem(): FlowProblem | null {
    const [first] = this.#problems.values();
    if (first !== undefined) return first;
    const isThrottled = this.#throttledSinceMs !== null && this.#now() - this.#throttledSinceMs > THROTTLED_MS;
    return isThrottled ? throttled : null;
  }

  /** For the poller of one shard. */
  observer(shard: string): FlowObserver {
    return {
      ended: (result) => this.#ended(result),
      problem: (problem) => this.problemOf(shard, problem),
    };
  }

  /** @param problem null = it is over */
  problemOf(shard: string, problem: SourceProblem | null): void {
    if (problem === null) this.#problems.delete(shard);
    else if (problem.reason === 'PositionLost') this.#onPositionLost(problem.message);
    else this.#problems.set(shard, { reason: problem.reason, message: problem.message });
  }

  /** What stood in the way of other shards is over: they are not read here any more. */
  keep(shards: readonly string[]): void {
    for (const shard of this.#problems.keys()) if (!shards.includes(shard)) this.#problems.delete(shard);
  }

  #ended(result: BatchResult): void {
    const atMs = this.#now();
    this.#lastBatch = { result, atMs };
    if (result.kind !== 'throttled') this.#throttledSinceMs = null;
    else this.#throttledSinceMs ??= atMs;
  }
}

const throttled: FlowProblem = Object.freeze({
  reason: 'FunctionThrottled',
  message:
    'the function has no capacity for its batches for more than a minute; no record is lost: raise its reserved concurrency, or the pool’s size',
});

/** The flow of the whole mapping. Pure. @param own of the gateway that writes the status */
export function mergeReports(own: FlowReport, others: readonly FlowReport[]): FlowReport {
  const all = [own, ...others];
  const generations = all.flatMap(({ polledGeneration }) => polledGeneration ?? []);
  const [latest = null] = all
    .flatMap(({ lastBatch }) => lastBatch ?? [])
    .toSorted((one, other) => other.atMs - one.atMs);
  return {
    polledGeneration: generations.length === 0 ? null : Math.min(...generations),
    shards: own.shards ?? others.find(({ shards }) => shards !== null)?.shards ?? null,
    heldShards: all.reduce((sum, { heldShards }) => sum + heldShards, 0),
    problem: all.find(({ problem }) => problem !== null)?.problem ?? null,
    lastBatch: latest,
  };
}
