import type { CorePod, CoreRequest, Slot } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** A pod in which nothing runs. */
export interface IdlePod<P extends CorePod, R extends CoreRequest> {
  /** One of its slots. */
  readonly slot: Slot<P, R>;
  /** Since when all of its slots are idle. */
  readonly sinceMs: number;
}

/** Pods of the version in which nothing runs, longest idle first. */
export function idlePods<P extends CorePod, R extends CoreRequest>({ idle }: VersionState<P, R>): IdlePod<P, R>[] {
  const pods: IdlePod<P, R>[] = [];
  for (const slot of idle.inOrder()) {
    const { mates, idleSinceMs } = slot;
    if (mates === null) pods.push({ slot, sinceMs: idleSinceMs });
    else if (mates[0] === slot && mates.every(({ state }) => state === 'Idle'))
      pods.push({ slot, sinceMs: Math.max(...mates.map((mate) => mate.idleSinceMs)) });
  }
  return pods.sort((a, b) => a.sinceMs - b.sinceMs);
}
