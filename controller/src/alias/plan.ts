import type { AliasObject } from '@kappa/crds/alias';
import { type ConditionClaim, setCondition } from '@kappa/crds/conditions';
import type { AliasSummary } from '../observed.ts';

/** What is known of one alias. */
export interface AliasObserved {
  readonly alias: AliasSummary;
  /** Its Function is there. */
  readonly hasFunction: boolean;
  /** Versions of that function that can be called: `$LATEST` and digits. */
  readonly versions: ReadonlySet<string>;
  /** Public address of its URL, null when it has none. */
  readonly url: string | null;
}

type Verdict = Pick<ConditionClaim, 'status' | 'reason' | 'message'>;

/** `status` of an Alias. Pure; equal input gives equal output. */
export function makeAliasStatus(observed: AliasObserved, nowMs: number): NonNullable<AliasObject['status']> {
  const { status, generation: observedGeneration } = observed.alias;
  return {
    observedGeneration,
    ...(observed.url !== null && { url: observed.url }),
    conditions: setCondition(
      status?.conditions ?? [],
      { type: 'Ready', ...judge(observed), observedGeneration },
      nowMs,
    ),
  };
}

function judge({ alias, hasFunction, versions }: AliasObserved): Verdict {
  if (!hasFunction) {
    const message = `there is no Function ${alias.functionName} in this namespace`;
    return { status: 'False', reason: 'FunctionMissing', message };
  }
  const missing = alias.versions.filter((version) => !versions.has(version));
  if (missing.length === 0) return { status: 'True', reason: 'Ready', message: 'can be called' };
  const message = `${alias.functionName} has no version ${missing.join(' and ')}`;
  return { status: 'False', reason: 'VersionMissing', message };
}
