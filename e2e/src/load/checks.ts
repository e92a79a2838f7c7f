import type { Run } from './ledger.ts';
import type { Sample } from './load.ts';

/** What is wrong in a run of a scenario; all empty when nothing is. */
export interface Findings {
  /** Answers that do not belong to the request of the caller that got them. */
  readonly misdelivered: readonly string[];
  /** Good answers of runs that the ledger does not know. */
  readonly unknownRuns: readonly string[];
  /** Request ids that ran more than once. */
  readonly ranTwice: readonly string[];
  /** Processes that ran more than one function. */
  readonly shared: readonly string[];
  /** Pods that ran two requests at once. */
  readonly overlapsInPod: readonly string[];
}

/** Compares what callers saw with what functions did. Pure. */
export function checkLedger(samples: readonly Sample[], runs: readonly Run[]): Findings {
  const byRequest = groupBy(runs, (run) => run.requestId);
  const answered = samples.filter((sample) => sample.status === 200 && sample.answer !== null);
  return {
    misdelivered: answered.flatMap(({ number, fn, answer, requestId }) =>
      answer?.number === number && answer.fn === fn && answer.requestId === requestId
        ? []
        : [`request ${number} of ${fn} (${requestId}) got ${JSON.stringify(answer)}`],
    ),
    unknownRuns: answered.flatMap(({ requestId }) => (byRequest.has(requestId) ? [] : [requestId])),
    ranTwice: [...byRequest].flatMap(([id, own]) => (own.length > 1 ? [id] : [])),
    shared: [...groupBy(runs, (run) => run.pod)].flatMap(([pod, own]) =>
      new Set(own.map(({ fn }) => fn)).size > 1 ? [pod] : [],
    ),
    overlapsInPod: [...groupBy(runs, (run) => run.instance)].flatMap(([instance, own]) =>
      maxOverlap(own) > 1 ? [instance] : [],
    ),
  };
}

/** Nothing found. */
export const noFindings: Findings = { misdelivered: [], unknownRuns: [], ranTwice: [], shared: [], overlapsInPod: [] };

/** The most runs that were going on at the same time. A run that never said that it ended counts as one moment only. Pure. */
export function maxOverlap(runs: readonly Run[]): number {
  const changes = runs.flatMap(({ beginMs, endMs }) => [
    { atMs: beginMs, by: 1 },
    { atMs: endMs ?? beginMs, by: -1 },
  ]);
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
