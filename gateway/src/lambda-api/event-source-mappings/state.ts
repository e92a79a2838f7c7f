import type { EventSourceMappingObject } from '@kappa/crds/event-source-mapping';

import { isInUse, type MappingState, planState } from '../../event-sources/mapping/plan-state.ts';
import { lambdaException } from '../errors.ts';

/** The state of a mapping: what the gateway that polls it has written, or what follows from a change that it has not looked at yet. */
export function stateOf({ metadata, spec, status }: EventSourceMappingObject): MappingState {
  const { state, observedGeneration = 0 } = status ?? {};
  if (state !== undefined && observedGeneration === metadata.generation) return state;
  return planState({
    isDeleting: metadata.deletionTimestampMs !== null,
    isEnabled: spec.enabled,
    generation: metadata.generation,
    last: state === undefined ? null : { state, generation: observedGeneration },
    polledGeneration: null,
    isBusy: state !== undefined && state !== 'Disabled',
    isStuck: false,
  });
}

/**
 * Refuses what Lambda refuses while a mapping changes. A mapping that no gateway has looked at yet can be changed: nothing has begun.
 *
 * @throws LambdaError ResourceInUse
 */
export function requireNotInUse({ status }: Pick<EventSourceMappingObject, 'status'>, call: 'update' | 'delete'): void {
  if (status?.state === undefined || !isInUse(status.state, call)) return;
  throw lambdaException(
    'ResourceInUseException',
    `Cannot ${call} the event source mapping because it is in use. It is ${status.state}: try again when that is over.`,
  );
}
