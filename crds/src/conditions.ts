/** One observation in `status.conditions`; the list is keyed by `type`. */
export interface Condition {
  /** CamelCase name, for example Ready. */
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** `metadata.generation` that was looked at. */
  readonly observedGeneration?: number;
  /** RFC 3339, whole seconds, UTC; moves only when `status` changes. */
  readonly lastTransitionTime: string;
  /** CamelCase word for programs. */
  readonly reason: string;
  /** Text for people: stable, without times or counts that change by themselves. */
  readonly message: string;
}

/** A condition as a reconciler states it; the time is found by `setCondition`. */
export type ConditionClaim = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with `claim` in them: sorted by type, `lastTransitionTime` moved to `nowMs` only when its status is new.
 * The same claim again gives an equal list, so that nothing has to be written.
 *
 * @param nowMs epoch milliseconds
 */
export function setCondition(
  conditions: readonly Condition[],
  claim: ConditionClaim,
  nowMs: number,
): readonly Condition[] {
  const before = findCondition(conditions, claim.type);
  const isSame = before !== undefined && before.status === claim.status;
  const lastTransitionTime = isSame ? before.lastTransitionTime : kubernetesTime(nowMs);
  const others = conditions.filter((condition) => condition.type !== claim.type);
  return [...others, { ...claim, lastTransitionTime }].sort((a, b) => (a.type < b.type ? -1 : 1));
}

/** The condition of that type, or undefined; of Kappa's objects and of Kubernetes' own, which leave more out. */
export function findCondition<C extends Pick<Condition, 'type'>>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether the condition of that type is there and True. */
export function isConditionTrue(
  conditions: readonly Pick<Condition, 'type' | 'status'>[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * An instant as Kubernetes writes it: RFC 3339, UTC, whole seconds (`2026-11-21T19:44:05Z`).
 *
 * @param epochMs epoch milliseconds
 * @throws RangeError when it is not a valid instant
 */
export function kubernetesTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
