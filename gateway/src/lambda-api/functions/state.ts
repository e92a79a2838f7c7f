import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import { ResourceConflict } from '../../errors.ts';
import type { Directory } from '../../registry/directory.ts';
import { type ApiDeps, comesTrue } from '../call.ts';
import { keyOf } from './find.ts';

/** The members that say whether a function can be called, and whether its last update is served. */
export interface StateMembers {
  readonly State: 'Pending' | 'Active' | 'Failed';
  readonly StateReason?: string;
  readonly StateReasonCode?: ReasonCode;
  readonly LastUpdateStatus?: 'Successful' | 'InProgress' | 'Failed';
  readonly LastUpdateStatusReason?: string;
  readonly LastUpdateStatusReasonCode?: ReasonCode;
}

/** Some of Lambda's. */
type ReasonCode =
  | 'Creating'
  | 'InvalidConfiguration'
  | 'InvalidRuntime'
  | 'InvalidImage'
  | 'ImageAccessDenied'
  | 'InternalError';

const creating = 'The function is being created.';

/**
 * State of `$LATEST`. A function counts as Active, and an update as successful, when this gateway serves it: a call that comes after
 * that finds it.
 */
export function stateOf(fn: FunctionObject, directory: Directory): StateMembers {
  const { status } = fn;
  if (isUnderWay(fn, directory))
    return status?.latestVersion === undefined || status.state === 'Pending'
      ? { State: 'Pending', StateReason: creating, StateReasonCode: 'Creating' }
      : {
          State: 'Active',
          LastUpdateStatus: 'InProgress',
          LastUpdateStatusReason: creating,
          LastUpdateStatusReasonCode: 'Creating',
        };
  const { stateReason, lastUpdateStatusReason, lastUpdateStatus = 'Successful' } = status ?? {};
  return {
    State: status?.state ?? 'Pending',
    ...(stateReason !== undefined && { StateReason: stateReason }),
    ...(status?.stateReasonCode !== undefined && { StateReasonCode: stateReasonCode(status.stateReasonCode) }),
    LastUpdateStatus: lastUpdateStatus,
    ...(lastUpdateStatusReason !== undefined && { LastUpdateStatusReason: lastUpdateStatusReason }),
    ...(status?.lastUpdateStatusReasonCode !== undefined && {
      LastUpdateStatusReasonCode: stateReasonCode(status.lastUpdateStatusReasonCode),
    }),
  };
}

/** The controller has not looked at what is stored, or this gateway has not seen what the controller made of it. */
function isUnderWay({ metadata, status }: FunctionObject, directory: Directory): boolean {
  if (status?.observedGeneration !== metadata.generation || status.lastUpdateStatus === 'InProgress') return true;
  const { fn, routed } = directory.look(keyOf(metadata));
  if (fn === undefined || routed === undefined) return true;
  return fn.generation < metadata.generation || fn.latestVersion !== (status.latestVersion ?? null) || routed.isPending;
}

const reasonCodes: ReadonlyMap<string, ReasonCode> = new Map([
  ['Creating', 'Creating'],
  ['InvalidRuntime', 'InvalidRuntime'],
  ['InvalidImage', 'InvalidImage'],
  ['ImageAccessDenied', 'ImageAccessDenied'],
  ['ImagesUnsupported', 'InvalidConfiguration'],
  ['DigestMismatch', 'InvalidConfiguration'],
  ['TooLarge', 'InvalidConfiguration'],
  ['UrlRefused', 'InvalidConfiguration'],
]);

/** Lambda's word for the controller's. */
function stateReasonCode(code: string): ReasonCode {
  return reasonCodes.get(code) ?? 'InternalError';
}

/** An update that is under way is waited for so long before the caller is told to come back. */
const SETTLE_MS = 1000;

/**
 * The function once nothing is under way: Lambda refuses changes of code and configuration until then.
 *
 * @throws ResourceConflict when it does not settle within a second
 */
export async function settled(fn: FunctionObject, arn: string, deps: ApiDeps): Promise<FunctionObject> {
  const { namespace, name } = fn.metadata;
  let current = fn;
  const isSettled = await comesTrue(deps, SETTLE_MS, async () => {
    if (!isUnderWay(current, deps.directory)) return true;
    current = (await deps.objects.find(functions, namespace, name)) ?? current;
    return !isUnderWay(current, deps.directory);
  });
  if (isSettled) return current;
  const { State } = stateOf(current, deps.directory);
  throw new ResourceConflict(
    State === 'Pending'
      ? `The operation cannot be performed at this time. The function is currently in the following state: ${State}`
      : `The operation cannot be performed at this time. An update is in progress for resource: ${arn}`,
  );
}

/** A write waits so long until this gateway has seen it, so that the next call here finds it. */
const SIGHT_MS = 1000;

/** Waits until this gateway has seen the function at least as it was written. */
export async function whenSeen({ metadata }: FunctionObject, deps: ApiDeps): Promise<void> {
  await comesTrue(deps, SIGHT_MS, () => {
    const { fn } = deps.directory.look(keyOf(metadata));
    return fn !== undefined && fn.uid === metadata.uid && fn.generation >= metadata.generation;
  });
}

/** Waits until this gateway sees what `holds` asks for. */
export async function whenSight(deps: ApiDeps, holds: () => boolean): Promise<void> {
  await comesTrue(deps, SIGHT_MS, holds);
}
