import type { ListFunctionsRequest } from '@aws-sdk/client-lambda';
import { isGone } from '@kappa/crds/client/errors';
import { functions, functionVersions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import { functionLabel, labelValue } from '@kappa/crds/labels';
import { functionNameOf } from '@kappa/crds/names';

import { InvalidParameterValue } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { makeMarker, pageSize, readMarker } from '../paging.ts';
import { isOwnedBy } from '../versions/publish.ts';
import { type Configuration, inList, latestConfiguration, versionConfiguration } from './configuration.ts';

/** What ListFunctions answers. */
export interface FunctionsAnswer {
  readonly Functions: Configuration[];
  readonly NextMarker?: string;
}

/** ListFunctions: pages of the API server's own list, by name; with `FunctionVersion=ALL` each with its versions. */
export async function listFunctions(
  call: OperationCall<ListFunctionsRequest>,
  deps: ApiDeps,
): Promise<FunctionsAnswer> {
  const { Marker, MaxItems, FunctionVersion } = call.input;
  const from = Marker === undefined || Marker === '' ? {} : { from: readMarker(Marker) };
  const options = { namespace: call.namespace, limit: pageSize(MaxItems), ...from };
  const page = await deps.objects.page(functions, options).catch((err: unknown) => {
    throw isGone(err) ? new InvalidParameterValue('The Marker is too old: list from the beginning.') : err;
  });
  const versions = FunctionVersion === 'ALL' ? await versionsOf(call.namespace, page.items, deps) : null;
  const configurations = page.items.map((fn) => configurationsOf(fn, versions, call, deps));
  return {
    Functions: (await Promise.all(configurations)).flat(),
    ...(page.next !== null && { NextMarker: makeMarker(page.next) }),
  };
}

/** Of all functions of the page at once. */
async function versionsOf(
  namespace: string,
  fns: readonly FunctionObject[],
  { objects }: ApiDeps,
): Promise<readonly FunctionVersionObject[]> {
  if (fns.length === 0) return [];
  const names = fns.map(({ metadata }) => labelValue(metadata.name)).join(',');
  const found = await objects.list(functionVersions, { namespace, labelSelector: `${functionLabel} in (${names})` });
  return found.toSorted((a, b) => Number(a.spec.version) - Number(b.spec.version));
}

async function configurationsOf(
  fn: FunctionObject,
  versions: readonly FunctionVersionObject[] | null,
  { accountId }: OperationCall<unknown>,
  deps: ApiDeps,
): Promise<Configuration[]> {
  const functionName = functionNameOf(fn);
  const arn = deps.arnOf(accountId, functionName);
  const shown = (version: string) => ({ functionName, arn: versions === null ? arn : `${arn}:${version}` });
  const latest = inList(await latestConfiguration(fn, shown(LATEST), deps));
  const published = (versions ?? [])
    .filter(({ spec }) => spec.functionName === fn.metadata.name && spec.version !== LATEST)
    .filter((version) => isOwnedBy(version, fn.metadata.uid));
  return [
    latest,
    ...published.map((version) => inList(versionConfiguration(version, shown(version.spec.version), deps.region))),
  ];
}
