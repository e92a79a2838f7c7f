import type { UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda';
import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { requireRevision } from '../revision.ts';
import { publishVersion } from '../versions/publish.ts';
import { storeCode } from './code.ts';
import { base64Of, type Configuration, latestConfiguration } from './configuration.ts';
import { functionNotFound, requireFunction } from './find.ts';
import { imageCode, isImage, resolvedImage } from './image.ts';
import { keptLayers, requireLayers, requireRoomTogether } from './layers.ts';
import { withSettings } from './settings.ts';
import { settled, whenSeen } from './state.ts';

/** UpdateFunctionCode. Answers InProgress: the old code is served until the controller has looked at the new one. */
export async function updateFunctionCode(
  call: OperationCall<UpdateFunctionCodeRequest>,
  deps: ApiDeps,
): Promise<Configuration> {
  const { input, fn: named } = call;
  const isDryRun = input.DryRun === true;
  const fn = await readForUpdate(call, deps);
  const settings = withSettings(fn.spec, { ...(input.Architectures && { Architectures: input.Architectures }) });
  const layers = await requireLayers(fn.spec.layers ?? [], await keptLayers(fn, deps), call, deps);
  const stored = isImage(fn.spec) ? null : await storeCode(input, call, deps, isDryRun);
  const code =
    stored === null ? imageCode(input, new Date(deps.now()).toISOString()) : { zip: { sha256: stored.sha256 } };
  if (stored !== null) await requireRoomTogether(isDryRun ? null : stored, layers, deps);
  const spec = { ...settings, code };
  const shown = { functionName: named.name, arn: named.arn };
  if (isDryRun) {
    const configuration = await latestConfiguration(fn, shown, deps);
    if (stored === null) return configuration;
    return { ...configuration, CodeSha256: base64Of(stored.sha256), CodeSize: stored.sizeBytes };
  }
  const changed = await change(call, fn, deps, (current) => ({
    ...current,
    ...(spec.architectures !== undefined && { architectures: spec.architectures }),
    code: spec.code,
  }));
  const configuration = await latestConfiguration(changed, shown, deps);
  if (input.Publish !== true) return configuration;
  const published = stored ?? (await resolvedImage(changed, deps));
  const { version } = (await publishVersion(changed, published, null, deps, layers)).spec;
  return { ...configuration, Version: version, FunctionArn: `${named.arn}:${version}` };
}

/** UpdateFunctionConfiguration. */
export async function updateFunctionConfiguration(
  call: OperationCall<UpdateFunctionConfigurationRequest>,
  deps: ApiDeps,
): Promise<Configuration> {
  const { input, fn: named } = call;
  if (input.Role !== undefined) await deps.passRole?.(call.principal, call.accountId, input.Role);
  const fn = await readForUpdate(call, deps);
  if (input.Layers !== undefined) {
    const layers = await requireLayers(input.Layers, await keptLayers(fn, deps), call, deps);
    await requireRoomTogether(servedCode(fn), layers, deps);
  }
  const changed = await change(call, fn, deps, (current) => withSettings(forRole(current, input), input));
  return latestConfiguration(changed, { functionName: named.name, arn: named.arn }, deps);
}

/** Null = the controller has yet to fetch it. */
function servedCode({ spec, status }: FunctionObject): { readonly sha256: string } | null {
  if (spec.code.zip !== undefined) return spec.code.zip;
  const { codeSha256 } = status ?? {};
  return codeSha256 === undefined ? null : { sha256: Buffer.from(codeSha256, 'base64').toString('hex') };
}

/** A role takes the place of the ServiceAccount that a manifest names. */
function forRole(spec: FunctionObject['spec'], { Role }: UpdateFunctionConfigurationRequest): FunctionObject['spec'] {
  if (Role === undefined) return spec;
  const { serviceAccountName: _before, ...rest } = spec;
  return rest;
}

type UpdateCall = OperationCall<{ readonly RevisionId?: string | undefined }>;

/** @throws ResourceNotFound, PreconditionFailed, ResourceConflict while something is under way */
async function readForUpdate(call: UpdateCall, deps: ApiDeps): Promise<FunctionObject> {
  const { qualifier, arn } = call.fn;
  if (qualifier !== null)
    throw new InvalidParameterValue(
      'The function name must not have a qualifier: published versions and aliases have code and configuration of their versions.',
    );
  const fn = await requireFunction(call, deps);
  requireRevision(call.input.RevisionId, fn.metadata);
  return settled(fn, arn, deps);
}

async function change(
  call: UpdateCall,
  { metadata }: FunctionObject,
  deps: ApiDeps,
  edit: (spec: FunctionObject['spec']) => FunctionObject['spec'],
): Promise<FunctionObject> {
  const changed = await deps.objects.change(functions, metadata, (current) => {
    requireRevision(call.input.RevisionId, current.metadata);
    return { ...current, spec: edit(current.spec) };
  });
  if (changed === null) throw functionNotFound(call.fn);
  await whenSeen(changed, deps);
  return changed;
}
