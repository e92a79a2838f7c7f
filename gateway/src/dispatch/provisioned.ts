import type { SlotState } from './slot.ts';
import type { Target } from './types.ts';

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
