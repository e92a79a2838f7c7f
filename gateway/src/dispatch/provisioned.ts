import type { CorePod, CoreRequest, SlotState } from './slot.ts';
import type { Target } from './types.ts';
import type { VersionState } from './version-state.ts';

/** Init of provisioned concurrency may take so long, or as long as the function's timeout when that is longer; as on Lambda. */
const MIN_INIT_MS = 130_000;

/** A pod is claimed to be there, not for a call. */
export function isProvisioning(state: SlotState, { provisionedConcurrency }: Target): boolean {
  return state === 'Claiming' && provisionedConcurrency > 0;
}

/**
 * Time limit of a claim's init, milliseconds.
 *
 * @param onDemandMs of one that a call waits for
 */
export function initLimitMs(state: SlotState, target: Target, onDemandMs: number): number {
  return isProvisioning(state, target) ? Math.max(MIN_INIT_MS, target.timeoutMs) : onDemandMs;
}

/**
 * Claims of provisioned pods that are under way for longer than init on demand may take: calls do not wait for them, they get other pods.
 *
 * @param onDemandMs that time
 */
export function slowClaims(
  { counts, target, slots }: VersionState<CorePod, CoreRequest>,
  nowMs: number,
  onDemandMs: number,
): number {
  if (counts.Claiming === 0 || !isProvisioning('Claiming', target)) return 0;
  let slow = 0;
  for (const { state, claimedMs } of slots) if (state === 'Claiming' && nowMs - claimedMs > onDemandMs) slow += 1;
  return slow;
}
