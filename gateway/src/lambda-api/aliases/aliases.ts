import type {
  AliasConfiguration,
  CreateAliasRequest,
  DeleteAliasRequest,
  GetAliasRequest,
  ListAliasesRequest,
  ListAliasesResponse,
  UpdateAliasRequest,
} from '@aws-sdk/client-lambda';
import type { AliasObject } from '@kappa/crds/alias';
import { aliases } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import { childMetadata } from '@kappa/crds/version-snapshot';

import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import { holdersOf, LATEST } from '../../registry/routing.ts';
import type { AliasView } from '../../registry/views.ts';
import type { ApiDeps, NamedFunction, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { keyOf, requireFunction } from '../functions/find.ts';
import { forgetQualifier } from '../functions/forget-qualifier.ts';
import { whenSight } from '../functions/state.ts';
import { pageOf } from '../paging.ts';
import { requireRevision, revisionIdOf } from '../revision.ts';
import { findVersion } from '../versions/find.ts';
import { aliasObjectName, findAlias } from './find.ts';
import { additionalOf, routingConfig } from './routing-input.ts';

/** CreateAlias. */
export async function createAlias(call: OperationCall<CreateAliasRequest>, deps: ApiDeps): Promise<AliasConfiguration> {
  const { Name = '', FunctionVersion = '', Description, RoutingConfig } = call.input;
  const fn = await functionOf(call, deps);
  const additional = additionalOf(FunctionVersion, RoutingConfig);
  await requireVersions([FunctionVersion, additional?.functionVersion], fn, call.fn, deps);
  if ((await findAlias(fn, Name, deps)) !== null) throw alreadyExists(call.fn, Name);
  const metadata = childMetadata(fn, aliasObjectName(fn.metadata.name, Name));
  const spec = {
    functionName: fn.metadata.name,
    name: Name,
    functionVersion: FunctionVersion,
    description: Description ?? '',
    ...(additional !== null && { additionalVersion: additional }),
  };
  const alias = await deps.objects.create(aliases, { metadata, spec });
  if (alias === null) throw alreadyExists(call.fn, Name);
  await whenServed(alias, fn, deps);
  return configurationOf(alias, call.fn);
}

/** GetAlias. */
export async function getAlias(call: OperationCall<GetAliasRequest>, deps: ApiDeps): Promise<AliasConfiguration> {
  const fn = await functionOf(call, deps);
  return configurationOf(await requireAlias(fn, call, deps), call.fn);
}

/** UpdateAlias; what the request does not mention stays. */
export async function updateAlias(call: OperationCall<UpdateAliasRequest>, deps: ApiDeps): Promise<AliasConfiguration> {
  const { FunctionVersion, Description, RoutingConfig, RevisionId } = call.input;
  const fn = await functionOf(call, deps);
  const found = await requireAlias(fn, call, deps);
  const changed = await deps.objects.change(aliases, found.metadata, async (alias) => {
    requireRevision(RevisionId, alias.metadata);
    const { additionalVersion: before, ...rest } = alias.spec;
    const functionVersion = FunctionVersion ?? rest.functionVersion;
    const routing = RoutingConfig ?? routingConfig(before).RoutingConfig;
    const additional = additionalOf(functionVersion, routing);
    await requireVersions([functionVersion, additional?.functionVersion], fn, call.fn, deps);
    const spec = {
      ...rest,
      functionVersion,
      ...(Description !== undefined && { description: Description }),
      ...(additional !== null && { additionalVersion: additional }),
    };
    return { ...alias, spec };
  });
  if (changed === null) throw aliasNotFound(call.fn, call.input.Name);
  await whenServed(changed, fn, deps);
  return configurationOf(changed, call.fn);
}

/** DeleteAlias; one that is not there is fine, as in Lambda. */
export async function deleteAlias(call: OperationCall<DeleteAliasRequest>, deps: ApiDeps): Promise<object> {
  const fn = await functionOf(call, deps);
  const alias = await findAlias(fn, call.input.Name ?? '', deps);
  if (alias === null) return {};
  const { namespace, name, uid } = alias.metadata;
  await forgetQualifier(fn, alias.spec.name, deps); // first: what is left of a broken-off deletion must grant nothing
  await deps.objects.remove(aliases, namespace, name, uid);
  await whenSight(deps, () => seenAliases(fn, deps).every((view) => view.uid !== uid));
  return {};
}

/** ListAliases, by name; those of one version when the request names it. From what this gateway has seen, its own writes included. */
export async function listAliases(
  call: OperationCall<ListAliasesRequest>,
  deps: ApiDeps,
): Promise<ListAliasesResponse> {
  const fn = await functionOf(call, deps);
  const { FunctionVersion: wanted } = call.input;
  const views = [...holdersOf(seenAliases(fn, deps))]
    .filter((view) => wanted === undefined || view.version === wanted || view.additional?.version === wanted)
    .toSorted((a, b) => byName(a.alias, b.alias));
  const { entries, ...next } = pageOf(views, call.input, ({ alias }) => alias, byName);
  return { Aliases: entries.map((view) => configurationOfView(view, call.fn)), ...next };
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function seenAliases({ metadata }: FunctionObject, { directory }: ApiDeps): readonly AliasView[] {
  return directory.look(keyOf(metadata)).aliases;
}

async function functionOf(call: OperationCall<unknown>, deps: ApiDeps): Promise<FunctionObject> {
  if (call.fn.qualifier !== null)
    throw new InvalidParameterValue('The function name must not have a qualifier where aliases are meant.');
  return requireFunction(call, deps);
}

async function requireAlias(
  fn: FunctionObject,
  { input, fn: named }: OperationCall<GetAliasRequest | UpdateAliasRequest>,
  deps: ApiDeps,
): Promise<AliasObject> {
  const alias = await findAlias(fn, input.Name ?? '', deps);
  if (alias === null) throw aliasNotFound(named, input.Name);
  return alias;
}

/** @throws ResourceNotFound for a version that is not there */
async function requireVersions(
  versions: readonly (string | undefined)[],
  fn: FunctionObject,
  named: NamedFunction,
  deps: ApiDeps,
): Promise<void> {
  for (const version of versions) {
    if (version === undefined || version === LATEST) continue;
    if ((await findVersion(fn, version, deps)) === null)
      throw new ResourceNotFound(`Function not found: ${named.arn}:${version}`);
  }
}

/** Waits until calls of the alias are routed here as it says. */
async function whenServed({ metadata }: AliasObject, fn: FunctionObject, deps: ApiDeps): Promise<void> {
  const { uid, generation } = metadata;
  await whenSight(deps, () => seenAliases(fn, deps).some((view) => view.uid === uid && view.generation >= generation));
}

function configurationOf({ metadata, spec }: AliasObject, named: NamedFunction): AliasConfiguration {
  return {
    AliasArn: `${named.arn}:${spec.name}`,
    Name: spec.name,
    FunctionVersion: spec.functionVersion,
    Description: spec.description,
    ...routingConfig(spec.additionalVersion),
    RevisionId: revisionIdOf(metadata),
  };
}

function configurationOfView(view: AliasView, named: NamedFunction): AliasConfiguration {
  const { additional } = view;
  return {
    AliasArn: `${named.arn}:${view.alias}`,
    Name: view.alias,
    FunctionVersion: view.version,
    Description: view.description,
    ...(additional !== null && {
      RoutingConfig: { AdditionalVersionWeights: { [additional.version]: additional.weight } },
    }),
    RevisionId: revisionIdOf(view),
  };
}

function aliasNotFound({ arn }: NamedFunction, alias: string | undefined): ResourceNotFound {
  return new ResourceNotFound(`Cannot find alias arn: ${arn}:${alias}`);
}

function alreadyExists({ arn }: NamedFunction, alias: string): Error {
  return lambdaException('ResourceConflictException', `Alias already exists: ${arn}:${alias}`);
}
