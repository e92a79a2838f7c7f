import type { CreateFunctionRequest } from '@aws-sdk/client-lambda';
import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import { idleTimeoutDefaultSeconds, memoryDefaultMiB, timeoutDefaultSeconds } from '@kappa/crds/limits';
import { toObjectName } from '@kappa/crds/names';

import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { checkTags } from '../tags/tags.ts';
import { publishVersion } from '../versions/publish.ts';
import { storeCode } from './code.ts';
import { type Configuration, latestConfiguration } from './configuration.ts';
import { findFunction } from './find.ts';
import { imageCode, resolvedImage } from './image.ts';
import { requireLayers, requireRoomTogether } from './layers.ts';
import { withSettings } from './settings.ts';
import { whenSeen } from './state.ts';

type Call = OperationCall<CreateFunctionRequest>;

/** CreateFunction. Answers Pending: the controller has yet to look at it. */
export async function createFunction(call: Call, deps: ApiDeps): Promise<Configuration> {
  const { input, fn: named } = call;
  if (named.qualifier !== null)
    throw new InvalidParameterValue('The function name of a new function must not have a qualifier.');
  const settings = specOf(call);
  await deps.passRole?.(call.principal, call.accountId, input.Role ?? '');
  if ((await findFunction(call, deps)) !== null) throw alreadyExists(named.name);
  const layers = await requireLayers(input.Layers ?? [], [], call, deps);
  const stored = input.PackageType === 'Image' ? null : await storeCode(input.Code ?? {}, call, deps);
  if (stored !== null) await requireRoomTogether(stored, layers, deps);
  const code = stored === null ? imageCode(input.Code ?? {}) : { zip: { sha256: stored.sha256 } };
  const fn = await write(call, { ...settings, code }, deps);
  const shown = { functionName: named.name, arn: named.arn };
  const configuration = await latestConfiguration(fn, shown, deps);
  const published = input.Publish === true ? (stored ?? (await resolvedImage(fn, deps))) : null;
  const version = published === null ? null : (await publishVersion(fn, published, null, deps, layers)).spec.version;
  await whenSeen(fn, deps);
  return version === null
    ? configuration
    : { ...configuration, Version: version, FunctionArn: `${named.arn}:${version}` };
}

function specOf({ input }: Call): Omit<FunctionObject['spec'], 'code'> {
  if (input.PackageType !== 'Image' && (input.Runtime === undefined || input.Handler === undefined))
    throw new InvalidParameterValue(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    );
  const tags = input.Tags ?? {};
  checkTags(tags);
  const { functionName, code: _code, ...spec } = withSettings(emptySpec, input);
  return { ...spec, ...(Object.keys(tags).length > 0 && { tags }) };
}

/** What a function has that says nothing. Runtime and handler are required of the request, unless the code is an image. */
const emptySpec: FunctionObject['spec'] = {
  description: '',
  code: {},
  memoryMiB: memoryDefaultMiB,
  timeoutSeconds: timeoutDefaultSeconds,
  environment: [],
  concurrency: { provisioned: 0, perInstance: 1 },
  logging: { format: 'Text' },
  idleTimeoutSeconds: idleTimeoutDefaultSeconds,
};

async function write(call: Call, spec: FunctionObject['spec'], { objects }: ApiDeps): Promise<FunctionObject> {
  const { name } = call.fn;
  const metadata = { namespace: call.namespace, name: toObjectName(name) };
  const ownName = metadata.name === name ? {} : { functionName: name };
  const made = await objects.create(functions, { metadata, spec: { ...ownName, ...spec } });
  if (made === null) throw alreadyExists(name);
  return made;
}

function alreadyExists(name: string): Error {
  return lambdaException('ResourceConflictException', `Function already exist: ${name}`);
}
