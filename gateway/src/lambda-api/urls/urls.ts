import type {
  CreateFunctionUrlConfigRequest,
  DeleteFunctionUrlConfigRequest,
  FunctionUrlConfig,
  GetFunctionUrlConfigRequest,
  ListFunctionUrlConfigsRequest,
  ListFunctionUrlConfigsResponse,
  UpdateFunctionUrlConfigRequest,
} from '@aws-sdk/client-lambda';
import { aliases, functions } from '@kappa/crds/client/kinds';
import type { FunctionHttp } from '@kappa/crds/function';

import { ResourceNotFound } from '../../errors.ts';
import { holdersOf } from '../../registry/routing.ts';
import { viewHttp } from '../../registry/views.ts';
import { findAlias } from '../aliases/find.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { findFunction, keyOf, requireFunction } from '../functions/find.ts';
import { whenSeen, whenSight } from '../functions/state.ts';
import { pageOf } from '../paging.ts';
import { changedUrl, configurationOf, type UrlOwner, type UrlSettings, urlSettings } from './config.ts';

type UrlCall = OperationCall<{ readonly Qualifier?: string | undefined }>;
/** Makes the URL from what is there; null = there is none, or none is to be. */
type Edit = (before: UrlSettings | null) => UrlSettings | null;

/** CreateFunctionUrlConfig. AuthType NONE opens nothing by itself: see auth/resource-policy.ts. */
export async function createFunctionUrlConfig(
  call: OperationCall<CreateFunctionUrlConfigRequest>,
  deps: ApiDeps,
): Promise<FunctionUrlConfig> {
  return changed(call, deps, (before) => {
    if (before !== null) throw alreadyThere(call);
    return changedUrl(null, call.input, nowText(deps));
  });
}

/** GetFunctionUrlConfig. */
export async function getFunctionUrlConfig(
  call: OperationCall<GetFunctionUrlConfigRequest>,
  deps: ApiDeps,
): Promise<FunctionUrlConfig> {
  const { owner, http } = await findUrl(call, deps);
  const view = viewHttp(http ?? undefined);
  if (view === null) throw noSuchUrl();
  return configurationOf(view, owner, call.fn, deps);
}

/** UpdateFunctionUrlConfig; what the request does not mention stays. */
export async function updateFunctionUrlConfig(
  call: OperationCall<UpdateFunctionUrlConfigRequest>,
  deps: ApiDeps,
): Promise<FunctionUrlConfig> {
  return changed(call, deps, (before) => {
    if (before === null) throw noSuchUrl();
    return changedUrl(before, call.input, nowText(deps));
  });
}

/** DeleteFunctionUrlConfig. Statements of the policy stay, as in Lambda. */
export async function deleteFunctionUrlConfig(
  call: OperationCall<DeleteFunctionUrlConfigRequest>,
  deps: ApiDeps,
): Promise<object> {
  await change(call, deps, (before) => {
    if (before === null) throw noSuchUrl();
    return null;
  });
  return {};
}

/** ListFunctionUrlConfigs: the function's own first, then those of aliases by name. From what this gateway has seen. */
export async function listFunctionUrlConfigs(
  call: OperationCall<ListFunctionUrlConfigsRequest>,
  deps: ApiDeps,
): Promise<ListFunctionUrlConfigsResponse> {
  const fn = await requireFunction(call, deps);
  const { namespace, name, creationTimestampMs: createdMs } = fn.metadata;
  const sight = deps.directory.look(keyOf(fn.metadata));
  const found = [
    { owner: { namespace, name, alias: null, createdMs }, http: sight.fn?.http ?? null },
    ...[...holdersOf(sight.aliases)].map((view) => ({
      owner: { namespace, name, alias: view.alias, createdMs: view.createdMs },
      http: view.http,
    })),
  ];
  const urls = found.flatMap(({ owner, http }) => (http === null ? [] : [{ owner, http }]));
  const sorted = urls.toSorted((a, b) => byName(nameOf(a.owner), nameOf(b.owner)));
  const { entries, ...next } = pageOf(sorted, call.input, ({ owner }) => nameOf(owner), byName);
  return { FunctionUrlConfigs: entries.map(({ owner, http }) => configurationOf(http, owner, call.fn, deps)), ...next };
}

/** Never empty, so that it can be a marker; sorts before every alias. */
function nameOf({ alias }: UrlOwner): string {
  return alias ?? '$';
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface FoundUrl {
  readonly owner: UrlOwner;
  readonly http: FunctionHttp | null;
}

/** @throws ResourceNotFound when there is no such function or alias */
async function findUrl(call: UrlCall, deps: ApiDeps): Promise<FoundUrl> {
  const fn = await findFunction(call, deps);
  if (fn === null) throw noSuchFunction();
  const { namespace, name } = fn.metadata;
  const { qualifier } = call.fn;
  if (qualifier === null)
    return {
      owner: { namespace, name, alias: null, createdMs: fn.metadata.creationTimestampMs },
      http: fn.spec.http ?? null,
    };
  const alias = await findAlias(fn, qualifier, deps);
  if (alias === null) throw noSuchFunction();
  const owner = { namespace, name, alias: qualifier, createdMs: alias.metadata.creationTimestampMs };
  return { owner, http: alias.spec.http ?? null };
}

async function changed(call: UrlCall, deps: ApiDeps, edit: Edit): Promise<FunctionUrlConfig> {
  const { owner, http } = await change(call, deps, edit);
  const view = viewHttp(http ?? undefined);
  if (view === null) throw noSuchUrl();
  return configurationOf(view, owner, call.fn, deps);
}

/** Changes spec.http of the function or the alias, and waits until calls of the URL are answered here as it says. */
async function change(call: UrlCall, deps: ApiDeps, edit: Edit): Promise<FoundUrl> {
  const fn = await findFunction(call, deps);
  if (fn === null) throw noSuchFunction();
  const { namespace, name } = fn.metadata;
  const { qualifier } = call.fn;
  if (qualifier === null) {
    const stored = await deps.objects.change(functions, fn.metadata, (current) => withUrl(current, edit));
    if (stored === null) throw noSuchFunction();
    await whenSeen(stored, deps);
    return {
      owner: { namespace, name, alias: null, createdMs: stored.metadata.creationTimestampMs },
      http: stored.spec.http ?? null,
    };
  }
  const alias = await findAlias(fn, qualifier, deps);
  const stored =
    alias === null ? null : await deps.objects.change(aliases, alias.metadata, (current) => withUrl(current, edit));
  if (stored === null) throw noSuchFunction();
  const { uid, generation, creationTimestampMs: createdMs } = stored.metadata;
  await whenSight(deps, () =>
    deps.directory.look(keyOf(fn.metadata)).aliases.some((view) => view.uid === uid && view.generation >= generation),
  );
  return { owner: { namespace, name, alias: qualifier, createdMs }, http: stored.spec.http ?? null };
}

/** Routes of HTTP APIs stay as they are, also without a URL. */
function withUrl<T extends { readonly spec: { readonly http?: FunctionHttp } }>(object: T, edit: Edit): T {
  const { http: before, ...spec } = object.spec;
  const url = edit(urlSettings(before));
  const routes = before?.routes;
  const http =
    routes === undefined || routes.length === 0 ? url : { ...(url ?? { invokeMode: 'Buffered' as const }), routes };
  return { ...object, spec: { ...spec, ...(http !== null && { http }) } };
}

function nowText({ now }: ApiDeps): string {
  return new Date(now()).toISOString();
}

function alreadyThere({ fn }: UrlCall): Error {
  const arn = fn.qualifier === null ? fn.arn : `${fn.arn}:${fn.qualifier}`;
  return lambdaException(
    'ResourceConflictException',
    `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
  );
}

function noSuchUrl(): ResourceNotFound {
  return new ResourceNotFound('The resource you requested does not exist.');
}

function noSuchFunction(): ResourceNotFound {
  return new ResourceNotFound('Function does not exist');
}
