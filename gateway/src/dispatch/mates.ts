import type { Census } from './census.ts';
import type { Loss } from './effects.ts';
import type { CorePod, CoreRequest, Slot } from './slot.ts';

/**
 * The agent has taken the claim of `slot`, and so of its mates.
 * @returns one that is idle now; undefined = there is none
 */
export function confirmAll<P extends CorePod, R extends CoreRequest>(
  census: Census<P, R>,
  slot: Slot<P, R>,
  nowMs: number,
): Slot<P, R> | undefined {
  const { state, mates } = slot;
  census.move(slot, 'confirmed');
  if (mates === null) return state === 'Claiming' ? slot : undefined;
  for (const mate of mates) {
    if (mate.state === 'Claiming') census.move(mate, 'confirmed');
    if (mate.state === 'Idle') mate.idleSinceMs = nowMs;
  }
  return mates.find((mate) => mate.state === 'Idle');
}

/** `slot` is lost, and so are its mates that have no work; but where the pod is well and only said that it is busy, that is what it is. */
export function loseAll<P extends CorePod, R extends CoreRequest>(
  census: Census<P, R>,
  slot: Slot<P, R>,
  { isBusy }: Loss,
): void {
  if (isBusy === true && slot.mates !== null && slot.state === 'Busy') {
    census.move(slot, 'foundBusy');
    slot.request = null;
  } else dropAll(census, slot);
}

/** `slot` is given up, and its pod takes nothing more: so are those of its mates that have no work. */
export function dropAll<P extends CorePod, R extends CoreRequest>(census: Census<P, R>, slot: Slot<P, R>): void {
  if (slot.state !== 'Lost') census.move(slot, 'dropped');
  if (slot.mates === null) return;
  for (const mate of slot.mates) if (mate.state === 'Idle' || mate.state === 'Claiming') census.move(mate, 'dropped');
}
