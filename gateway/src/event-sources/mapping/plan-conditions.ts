import type { ConditionClaim } from '@kappa/crds/conditions';

import type { ProblemReason } from '../source-problem.ts';
import type { MappingState } from './plan-state.ts';

/** Why a mapping does not flow; each says what to do. `Polling`, `Starting` and `Disabled` are no problems. */
export type ReadyReason =
  | 'Polling'
  | 'Starting'
  | 'Disabled'
  | ProblemReason
  | 'InvalidFilter'
  | 'FunctionNotFound'
  | 'FunctionNotReady'
  | 'FunctionThrottled'
  | 'StoreUnavailable';

/** What stands in the way of a mapping's records. */
export interface FlowProblem {
  readonly reason: Exclude<ReadyReason, 'Polling' | 'Starting' | 'Disabled'>;
  /** For people: what to do. No secrets, no text that is new each time. */
  readonly message: string;
}

/** What stands in the way of records, and what came of the latest batch. */
export interface FlowObservation {
  readonly generation: number;
  readonly state: MappingState;
  /** null = nothing does. */
  readonly problem: FlowProblem | null;
  /** null = no batch since this gateway has it. */
  readonly lastBatch: BatchResult | null;
}

export type BatchResult =
  | { readonly kind: 'ok' }
  | { readonly kind: 'functionFailed' }
  | { readonly kind: 'someFailed' }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'gaveUp'; readonly condition: string }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'badAnswer'; readonly why: string };

/** What each kind has beside its name. */
const membersOf: Readonly<Record<BatchResult['kind'], string | null>> = {
  ok: null,
  functionFailed: null,
  someFailed: null,
  throttled: null,
  gaveUp: 'condition',
  tooLarge: null,
  badAnswer: 'why',
};

/** Whether it is one of the results that are known here: another gateway may be a newer one. */
export function isBatchResult(value: object): value is BatchResult {
  const [, member] = Object.entries(membersOf).find(([kind]) => kind === Reflect.get(value, 'kind')) ?? [];
  if (member === undefined) return false;
  return member === null || typeof Reflect.get(value, member) === 'string';
}

/** The first that applies is told: a mapping has one reason at a time. */
export function planConditions(seen: FlowObservation): readonly ConditionClaim[] {
  const { generation: observedGeneration, state, problem, lastBatch } = seen;
  const claim = (type: string, is: boolean, reason: string, message: string): ConditionClaim => ({
    type,
    status: is ? 'True' : 'False',
    observedGeneration,
    reason,
    message,
  });
  const succeeding =
    lastBatch === null
      ? []
      : [claim('Succeeding', lastBatch.kind === 'ok', reasonOf(lastBatch), resultText(lastBatch, null))];
  const { is, reason, message } = readyOf(state, problem);
  return [...succeeding, claim('Ready', is, reason, message)];
}

function readyOf(
  state: MappingState,
  problem: FlowProblem | null,
): { readonly is: boolean; readonly reason: ReadyReason; readonly message: string } {
  if (state === 'Deleting') return { is: false, reason: 'Disabled', message: 'the mapping is being deleted' };
  if (state === 'Disabled' || state === 'Disabling')
    return { is: false, reason: 'Disabled', message: 'spec.enabled is false: nothing is read' };
  if (problem !== null) return { is: false, ...problem };
  if (state === 'Creating' || state === 'Enabling')
    return { is: false, reason: 'Starting', message: 'the source is being opened' };
  return { is: true, reason: 'Polling', message: 'records are read and given to the function' };
}

function reasonOf(result: BatchResult): string {
  return result.kind.charAt(0).toUpperCase() + result.kind.slice(1);
}

/**
 * `LastProcessingResult` in Lambda's words where they are known. What is in the way of reading goes before what came of the latest batch.
 *
 * @param problem message of what stands in the way; null = nothing does
 */
export function resultText(result: BatchResult | null, problem: string | null): string {
  if (problem !== null) return `PROBLEM: ${problem}`;
  if (result === null) return 'No records processed';
  switch (result.kind) {
    case 'ok':
      return 'OK';
    case 'functionFailed':
      return 'PROBLEM: Function call failed';
    case 'someFailed':
      return 'PROBLEM: Function reported failed records';
    case 'throttled':
      return 'PROBLEM: Function call was throttled; no record is lost, polling slows down';
    case 'gaveUp':
      return `PROBLEM: Records were given up: ${result.condition}`;
    case 'tooLarge':
      return 'PROBLEM: A record is larger than the 6 MB of an invocation; it was given up';
    case 'badAnswer':
      return `PROBLEM: The answer of the function is none for this mapping: ${result.why}`;
  }
}
