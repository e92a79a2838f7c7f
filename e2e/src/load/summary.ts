import type { Run } from './ledger.ts';
import type { Sample } from './load.ts';

/** A load in numbers. */
export interface Summary {
  readonly requests: number;
  readonly good: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Of good answers, milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The first few different problems. */
  readonly problems: readonly string[];
}

/** Counts and latencies of a load. Pure. */
export function summarize(samples: readonly Sample[]): Summary {
  const byStatus: Record<string, number> = {};
  for (const { status } of samples) byStatus[status] = (byStatus[status] ?? 0) + 1;
  const good = samples.filter(({ status }) => status === 200);
  const times = good.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0);
  const problems = new Set(samples.flatMap(({ problem }) => (problem === '' ? [] : [problem])));
  return {
    requests: samples.length,
    good: good.length,
    byStatus,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    problems: [...problems].slice(0, 5),
  };
}

/** What went wrong, one short line each, for a test's expectation. Pure. */
export function failures(samples: readonly Sample[]): readonly string[] {
  return samples
    .filter(({ status }) => status !== 200)
    .map(
      ({ number, fn, startMs, endMs, problem }) =>
        `${number} ${fn} ${Math.round(startMs)}..${Math.round(endMs)} ${problem}`,
    );
}

/** A request that took long, and where. Milliseconds, rounded; null = its run never reported that. */
export interface Slow {
  readonly fn: string;
  /** Sent so long after the first request of the load. */
  readonly sentMs: number;
  /** From there until its run began. */
  readonly waitedMs: number | null;
  readonly ranMs: number | null;
  /** From the end of its run until the caller had the answer. */
  readonly returnedMs: number | null;
  readonly pod: string;
}

/** The slowest good requests, slowest first. Pure. */
export function slowest(samples: readonly Sample[], runs: readonly Run[], count: number): readonly Slow[] {
  const byRequest = new Map(runs.map((run) => [run.requestId, run]));
  const firstMs = samples[0]?.startMs ?? 0;
  const difference = (from: number | null | undefined, to: number | null | undefined): number | null =>
    from == null || to == null ? null : Math.round(to - from);
  return samples
    .filter(({ status }) => status === 200)
    .sort((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs))
    .slice(0, count)
    .map(({ fn, startMs, endMs, requestId }) => {
      const run = byRequest.get(requestId);
      return {
        fn,
        sentMs: Math.round(startMs - firstMs),
        waitedMs: difference(startMs, run?.beginMs),
        ranMs: difference(run?.beginMs, run?.endMs),
        returnedMs: difference(run?.endMs, endMs),
        pod: run?.pod ?? '',
      };
    });
}
