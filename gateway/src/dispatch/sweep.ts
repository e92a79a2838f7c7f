import { ServiceException } from '../errors.ts';
import type { DispatchCore } from './core.ts';
import { idlePods } from './idle-pods.ts';
import type { DispatchLimits } from './limits.ts';
import { allocatedIn, planExpiry } from './plan.ts';
import type { CorePod, CoreRequest, Slot } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** A version without slots and requests keeps its record of failed inits so long after the last pause. */
const FAILURE_MEMORY_MS = 60_000;

/**
 * Looks at every deadline of dispatch; called at each tick, so that no request needs a timer of its own: requests that wait at a limit,
 * whose capacity budget is over or whose term is lost, slots that are idle for too long, invocations that are overdue, pauses that have ended.
 * @param onOverdue must give the slot up
 */
export function sweep<P extends CorePod, R extends CoreRequest>(
  core: DispatchCore<P, R>,
  limits: DispatchLimits,
  nowMs: number,
  onOverdue: (slot: Slot<P, R>) => void,
): void {
  core.pauses.saw(nowMs);
  core.gate.share();
  core.limitQueue.tick();
  for (const version of [...core.census.versions()]) {
    endBudgets(core, version, nowMs - limits.capacityBudgetMs, limits.capacityBudgetMs);
    expireIdle(core, version, nowMs);
    endSlots(core, version, nowMs, onOverdue);
    if (version.queue.length > 0 && version.owner.cap !== null) core.advance(version);
    const isShort = core.gate.provisioned(version) > allocatedIn(version.counts);
    if (version.queue.length > 0 || isShort) core.advance(version); // what was expected to be served sooner may not have been
    if (version.failures > 0 && version.pausedUntilMs <= nowMs) {
      if (nowMs - version.pausedUntilMs > FAILURE_MEMORY_MS) version.failures = 0;
      core.advance(version);
    }
  }
}

function endSlots<P extends CorePod, R extends CoreRequest>(
  core: DispatchCore<P, R>,
  version: VersionState<P, R>,
  nowMs: number,
  onOverdue: (slot: Slot<P, R>) => void,
): void {
  for (const slot of version.slots) {
    if (slot.deadlineMs > nowMs || slot.state === 'Idle' || slot.state === 'Foreign') continue;
    if (slot.state === 'Lost') core.forget(slot);
    else onOverdue(slot);
  }
}

function endBudgets<P extends CorePod, R extends CoreRequest>(
  core: DispatchCore<P, R>,
  version: VersionState<P, R>,
  arrivedBeforeMs: number,
  budgetMs: number,
): void {
  for (let oldest = version.queue.peek(); oldest !== undefined; oldest = version.queue.peek()) {
    if (oldest.arrivedMs > arrivedBeforeMs) return;
    core.failOldest(version, noCapacity(version, budgetMs));
  }
}

function expireIdle<P extends CorePod, R extends CoreRequest>(
  core: DispatchCore<P, R>,
  version: VersionState<P, R>,
  nowMs: number,
): void {
  const { idleTimeoutMs } = version.target;
  const provisioned = core.gate.provisioned(version);
  if (provisioned < version.kept) for (const slot of version.idle.inOrder()) slot.idleSinceMs = nowMs;
  version.kept = provisioned;
  if (version.isCurrent && !version.idle.isAnyOlder(nowMs - idleTimeoutMs)) return;
  const idle = idlePods(version);
  const rules = { isCurrent: version.isCurrent, provisioned, idleTimeoutMs };
  const since = idle.map(({ sinceMs }) => sinceMs);
  const count = planExpiry(since, allocatedIn(version.counts), rules, nowMs);
  for (const { slot } of idle.slice(0, count)) core.retire(slot, 'idle');
}

/** Says whose fault it is and what to do. The request provably did not run, so every client may try again. */
function noCapacity(version: VersionState<CorePod, CoreRequest>, budgetMs: number): ServiceException {
  const { functionName, pool } = version.target;
  const after = `within ${budgetMs / 1000} s`;
  const message =
    version.failures >= 2
      ? `No pod could be started for ${functionName} ${after}: its last ${version.failures} pods ended before one good invocation, so new ones are started one at a time. Look at the function's log (kubectl logs). The request did not run.`
      : `No pod of pool ${pool} was free for ${functionName} ${after}. This is the platform's fault, not the function's: look at "kubectl get pool ${pool} -n kappa-functions" and at its pods; spec.maxPods may be too low. The request did not run.`;
  return new ServiceException(message, { retryAfterSeconds: 5 });
}
