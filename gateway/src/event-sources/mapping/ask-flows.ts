import type { FlowReport } from './flow.ts';
import { isBatchResult } from './plan-conditions.ts';

/** Reports by uid of the mapping. */
export type FlowReports = Readonly<Record<string, FlowReport>>;

/** What one gateway asks the others about mappings whose status it writes. */
export function packFlowQuestion(uids: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify({ kind: 'flows', uids }));
}

/** The uids that are asked for; null = it is another question. */
export function readFlowQuestion(question: Buffer): readonly string[] | null {
  const value = parseJson(question);
  if (!isObject(value) || value['kind'] !== 'flows' || !Array.isArray(value['uids'])) return null;
  return value['uids'].filter((uid) => typeof uid === 'string');
}

/** The answer to it. */
export function packFlows(reports: FlowReports): Buffer {
  return Buffer.from(JSON.stringify(reports));
}

/** Reads an answer; what another version of a gateway says otherwise is left out. */
export function readFlows(answer: Buffer): FlowReports {
  const value = parseJson(answer);
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([uid, report]): [string, FlowReport][] =>
      isReport(report) ? [[uid, knownOf(report)]] : [],
    ),
  );
}

/** Without a result that only a newer gateway has words for. */
function knownOf(report: FlowReport): FlowReport {
  const { lastBatch } = report;
  return lastBatch === null || isBatchResult(lastBatch.result) ? report : { ...report, lastBatch: null };
}

function isReport(value: unknown): value is FlowReport {
  if (!isObject(value)) return false;
  const { polledGeneration, shards, heldShards, problem, lastBatch } = value;
  const isCount = (count: unknown): boolean => count === null || typeof count === 'number';
  const isText = (text: unknown): boolean => typeof text === 'string';
  const isProblem = problem === null || (isObject(problem) && isText(problem['reason']) && isText(problem['message']));
  const isBatch =
    lastBatch === null ||
    (isObject(lastBatch) && typeof lastBatch['atMs'] === 'number' && isObject(lastBatch['result']));
  return isCount(polledGeneration) && isCount(shards) && typeof heldShards === 'number' && isProblem && isBatch;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
