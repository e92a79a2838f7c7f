import type { Activity } from '../owner/plan-watch.ts';
import type { LaneDeps } from './lane-deps.ts';
import type { Failure } from './tell-failure.ts';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 300_000;

/**
 * Tells whoever is to be told of records that were given up, for as long as that takes. Who that is may be changed meanwhile.
 *
 * @param does is told what this is about
 * @returns false = it was not told, and nothing more is begun
 */
export async function tellUntilHeard(
  failure: Omit<Failure, 'decidedMs' | 'stream' | 'shard'>,
  { mapping, tell, observer, clock, stopping, stream, shard }: LaneDeps,
  does: (activity: Activity) => void,
): Promise<boolean> {
  const { length: count } = failure.records;
  const decidedMs = clock.now();
  for (let pauseMs = FIRST_PAUSE_MS; !stopping.aborted; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    const { onFailure } = mapping();
    if (count === 0) return true;
    if (onFailure === null) {
      observer.dropped(count);
      return true;
    }
    does({ kind: 'telling' });
    try {
      await tell(mapping(), { ...failure, decidedMs, stream, shard });
      observer.told(count);
      return true;
    } catch (err) {
      observer.notTold(onFailure, err);
    }
    does({ kind: 'resting', forMs: pauseMs });
    await clock.sleep(pauseMs, stopping).catch(() => undefined);
  }
  return false;
}
