import type { ControllerMetrics } from '../metrics.ts';
import { type CollectedBlobs, type Collection, collectBlobs, type Round } from './collect.ts';
import { type OwnedBlobs, seeOwnership } from './ownership.ts';

/** What rounds are run with. */
export interface CollectorOptions extends Collection {
  /** As of a round; 0 = nothing is removed, but other installs are told that code is here. */
  readonly keepMs: number;
  readonly blobs: CollectedBlobs & OwnedBlobs;
  /** This install, unlike every other one. */
  readonly installId: () => Promise<string>;
  readonly metrics: Pick<
    ControllerMetrics,
    'blobs' | 'blobBytes' | 'blobsRemoved' | 'blobBytesRemoved' | 'collections'
  >;
  /** Blobs have gone for good. */
  readonly onRemoved: (round: Round) => void;
  /** A round failed; the next one tries again. */
  readonly onProblem: (problem: unknown) => void;
  /** The store has code of other installs, too, and nothing is removed; told at each round. */
  readonly onShared: (others: readonly string[]) => void;
  /** A round is over, however it went. Default: nobody hears. */
  readonly onRound?: () => void;
  /** Calls back again and again. */
  readonly every: (periodMs: number, call: () => void) => void;
}

/** Between two rounds, at most and at least. */
const MAX_PERIOD_MS = 3_600_000;
const MIN_PERIOD_MS = 1_000;

/**
 * Runs a round four times in `keepMs`, at least each hour, one at a time, while this process acts.
 *
 * @returns runs one now, under the same rules: for the moment in which this process begins to act, however seldom it lives for a period
 */
export function startCollector(options: CollectorOptions): () => void {
  const { keepMs } = options;
  const periodMs = keepMs === 0 ? MAX_PERIOD_MS : Math.max(MIN_PERIOD_MS, Math.min(MAX_PERIOD_MS, keepMs / 4));
  let isRunning = false;
  const look = (): void => {
    if (isRunning || !options.isActing()) return;
    isRunning = true;
    void runRound(options).finally(() => {
      isRunning = false;
      options.onRound?.();
    });
  };
  options.every(periodMs, look);
  return look;
}

async function runRound(options: CollectorOptions): Promise<void> {
  const { metrics, onRemoved, onProblem } = options;
  try {
    const ownership = await seeOwnership(options.blobs, await options.installId());
    if (options.keepMs === 0) return;
    if (ownership.kind !== 'own') {
      metrics.collections.inc({ result: ownership.kind });
      if (ownership.kind === 'shared') options.onShared(ownership.others);
      return;
    }
    const round = await collectBlobs(options);
    metrics.collections.inc({ result: round.ending.kind });
    for (const state of ['used', 'unused', 'retired'] as const) {
      metrics.blobs.set({ state }, round[state].count);
      metrics.blobBytes.set({ state }, round[state].bytes);
    }
    metrics.blobsRemoved.inc(round.purged.count);
    metrics.blobBytesRemoved.inc(round.purged.bytes);
    if (round.purged.count > 0) onRemoved(round);
    if (round.ending.kind === 'failed') onProblem(round.ending.problem);
  } catch (error) {
    metrics.collections.inc({ result: 'failed' });
    onProblem(error);
  }
}
