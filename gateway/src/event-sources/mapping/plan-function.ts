import type { Sight } from '../../registry/directory.ts';
import { LATEST } from '../../registry/routing.ts';
import type { MappingView } from './mapping-view.ts';
import type { FlowProblem } from './plan-conditions.ts';

/**
 * Why the function of a mapping gets no batch now; null = it may get some. While something is in the way nothing is received, so no message is
 * counted as tried for it. Pure.
 *
 * @param sight of the mapping's `functionKey`; asked only while all functions are known
 */
export function planFunction(
  { fn, routed, versions, aliases }: Sight,
  { functionKey, qualifier }: Pick<MappingView, 'functionKey' | 'qualifier'>,
): FlowProblem | null {
  if (fn === undefined)
    return { reason: 'FunctionNotFound', message: `there is no function ${functionKey}: create it, or name another` };
  const isLatest = qualifier === null || qualifier === LATEST;
  const isKnown =
    isLatest ||
    versions.some(({ version }) => version === qualifier) ||
    aliases.some(({ alias }) => alias === qualifier);
  if (!isKnown)
    return {
      reason: 'FunctionNotFound',
      message: `function ${functionKey} has no version or alias ${qualifier}: publish it, or name another`,
    };
  if (fn.reserved === 0)
    return {
      reason: 'FunctionThrottled',
      message: `function ${functionKey} has reserved concurrency 0: raise it to let batches in`,
    };
  const isReady = isLatest
    ? routed !== undefined && routed.latest !== null
    : routed?.versions?.has(qualifier) === true || routed?.aliases?.has(qualifier) === true;
  if (isReady) return null;
  const why = fn.stateReason === '' ? '' : `: ${fn.stateReason}`;
  return {
    reason: 'FunctionNotReady',
    message: `function ${functionKey}${isLatest ? '' : `:${qualifier}`} has no version that can run (${fn.state}${why})`,
  };
}
