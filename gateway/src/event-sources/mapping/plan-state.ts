/** Lambda's states of a mapping. */
export type MappingState = 'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting';

/** What is known of one mapping, over all its shards, as its first owner sees it. */
export interface MappingObservation {
  readonly isDeleting: boolean;
  /** spec.enabled. */
  readonly isEnabled: boolean;
  readonly generation: number;
  /** What the status said last; null = nothing yet. */
  readonly last: { readonly state: MappingState; readonly generation: number } | null;
  /** The generation of the spec that is polled now, here and by all other gateways; null = none is. */
  readonly polledGeneration: number | null;
  /** Shards that some gateway holds, or messages and batches that are still under way. */
  readonly isBusy: boolean;
  /** The source could not be opened for longer than {@link SETTLE_MS}: waiting goes on, but the state tells no more of a change. */
  readonly isStuck: boolean;
}

/** A change that has not come through by then is told as done, with a condition that says what is in the way. */
export const SETTLE_MS = 15_000;

/**
 * The state of a mapping. Pure, and level-driven: it is computed from what is, not from what happened.
 *
 *   wanted          | what is                                              | state
 *   gone            | anything                                             | Deleting
 *   disabled        | shards are held, batches run                         | Disabling
 *   disabled        | nothing                                              | Disabled
 *   enabled         | this generation is polled, or it is stuck            | Enabled
 *   enabled         | nothing was ever polled                              | Creating
 *   enabled         | it was Disabled, Disabling or Enabling               | Enabling
 *   enabled         | another generation was Enabled before                | Updating
 *
 * A mapping never disables itself: what is broken at the source may be mended there, and then it goes on.
 */
export function planState(seen: MappingObservation): MappingState {
  if (seen.isDeleting) return 'Deleting';
  if (!seen.isEnabled) return seen.isBusy ? 'Disabling' : 'Disabled';
  if (seen.polledGeneration === seen.generation || seen.isStuck) return 'Enabled';
  const { last } = seen;
  if (last === null || last.state === 'Creating') return 'Creating';
  const wasOff = last.state === 'Disabled' || last.state === 'Disabling' || last.state === 'Enabling';
  if (wasOff) return 'Enabling';
  return last.generation === seen.generation && last.state === 'Enabled' ? 'Enabled' : 'Updating'; // a hand-over is no change
}

/** Calls of Lambda's API that a state refuses with ResourceInUseException. */
export function isInUse(state: MappingState, call: 'update' | 'delete'): boolean {
  if (state === 'Creating' || state === 'Deleting') return call === 'update';
  return state === 'Updating' && call === 'delete';
}
