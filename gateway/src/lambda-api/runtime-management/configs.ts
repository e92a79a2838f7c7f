import type {
  GetRuntimeManagementConfigRequest,
  GetRuntimeManagementConfigResponse,
  PutRuntimeManagementConfigRequest,
  PutRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda';
import type { FunctionObject } from '@kappa/crds/function';
import { runtimeManagementMember } from '@kappa/crds/version-snapshot';

import { InvalidParameterValue } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { changeSpec } from '../functions/change.ts';
import { requireMeant } from '../functions/resolve.ts';
import { publishedVersions } from '../versions/publish.ts';
import { type ManagedRuntimes, parseManaged } from './managed-runtimes.ts';

type FunctionSpec = FunctionObject['spec'];

/** PutRuntimeManagementConfig: kept in the function's `compatibility`, for each version. */
export async function putRuntimeManagementConfig(
  call: OperationCall<PutRuntimeManagementConfigRequest>,
  deps: ApiDeps,
): Promise<PutRuntimeManagementConfigResponse> {
  const { UpdateRuntimeOn: updateOn = 'Auto', RuntimeVersionArn: arn } = call.input;
  if ((updateOn === 'Manual') !== (arn !== undefined))
    throw new InvalidParameterValue(
      updateOn === 'Manual'
        ? 'RuntimeVersionArn is required when UpdateRuntimeOn is Manual.'
        : 'RuntimeVersionArn is only for UpdateRuntimeOn Manual.',
    );
  const { version } = await requireVersion(call, deps);
  const entry = { UpdateRuntimeOn: updateOn, ...(arn !== undefined && { RuntimeVersionArn: arn }) };
  await changeSpec(call, deps, async (spec, fn) => {
    const kept = new Map([...(await stillThere(fn, deps)), [version, entry] as const]);
    if (updateOn === 'Auto') kept.delete(version);
    return withManaged(spec, kept);
  });
  return { ...entry, FunctionArn: `${call.fn.arn}:${version}` };
}

/** GetRuntimeManagementConfig; Lambda's default is Auto. */
export async function getRuntimeManagementConfig(
  call: OperationCall<GetRuntimeManagementConfigRequest>,
  deps: ApiDeps,
): Promise<GetRuntimeManagementConfigResponse> {
  const { fn, version } = await requireVersion(call, deps);
  const entry = parseManaged(fn.spec.compatibility?.[runtimeManagementMember]).get(version);
  return { ...(entry ?? { UpdateRuntimeOn: 'Auto' }), FunctionArn: `${call.fn.arn}:${version}` };
}

/** @throws ResourceNotFound; InvalidParameterValue for an alias */
async function requireVersion(
  call: OperationCall<unknown>,
  deps: ApiDeps,
): Promise<{ readonly fn: FunctionObject; readonly version: string }> {
  const { fn, version, aliasName } = await requireMeant(call, deps);
  if (aliasName !== null)
    throw new InvalidParameterValue(
      'Runtime management belongs to versions: the qualifier must be $LATEST or a number.',
    );
  return { fn, version: version === null ? LATEST : version.spec.version };
}

function withManaged({ compatibility, ...spec }: FunctionSpec, kept: ManagedRuntimes): FunctionSpec {
  const { [runtimeManagementMember]: _before, ...others } = compatibility ?? {};
  const json = kept.size === 0 ? {} : { [runtimeManagementMember]: JSON.stringify(Object.fromEntries(kept)) };
  const after = { ...others, ...json };
  return { ...spec, ...(Object.keys(after).length > 0 && { compatibility: after }) };
}

/** What is kept of versions that have not been deleted since. */
async function stillThere(fn: FunctionObject, deps: ApiDeps): Promise<ManagedRuntimes> {
  const kept = parseManaged(fn.spec.compatibility?.[runtimeManagementMember]);
  if (kept.size === 0) return kept;
  const versions = new Set([LATEST, ...(await publishedVersions(fn, deps)).map(({ spec }) => spec.version)]);
  return new Map([...kept].filter(([version]) => versions.has(version)));
}
