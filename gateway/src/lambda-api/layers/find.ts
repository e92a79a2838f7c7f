import { layers } from '@kappa/crds/client/kinds';
import { type LayerObject, layerObjectName, mayUseLayer } from '@kappa/crds/layer';

import { ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { isOwn, type LayerReference, type LayerVersionReference, requireOwn } from './reference.ts';

/** Who asks, and where its own layers are. */
export type LayerCall = Pick<OperationCall<unknown>, 'accountId' | 'namespace' | 'principal'>;

/** The namespace that an account is; null = none. */
export async function namespaceOfLayer(
  { accountId }: Pick<LayerReference, 'accountId'>,
  call: Pick<LayerCall, 'accountId' | 'namespace'>,
  { directory }: ApiDeps,
): Promise<string | null> {
  return accountId === call.accountId ? call.namespace : ((await directory.namespaceOf(accountId)) ?? null);
}

/** The version as the API server has it; null = there is none. */
export async function findLayerVersion(
  reference: LayerVersionReference,
  call: Pick<LayerCall, 'accountId' | 'namespace'>,
  deps: ApiDeps,
): Promise<LayerObject | null> {
  const { layerName, version } = reference;
  const namespace = await namespaceOfLayer(reference, call, deps);
  if (namespace === null) return null;
  const found = await deps.objects.find(layers, namespace, layerObjectName(layerName, version));
  return found?.spec.layerName === layerName && found.spec.version === version ? found : null;
}

/** The version, for a caller who may use it. @throws ResourceNotFound, AccessDenied */
export async function requireLayerVersion(
  reference: LayerVersionReference,
  call: LayerCall,
  deps: ApiDeps,
): Promise<LayerObject> {
  const found = await findLayerVersion(reference, call, deps);
  const isAllowed =
    isOwn(call, reference) || (found !== null && mayUseLayer(found, reference.accountId, call.accountId));
  if (!isAllowed) requireOwn(call, reference, 'GetLayerVersion');
  if (found === null) throw new ResourceNotFound('The resource you requested does not exist.');
  return found;
}

/** All versions of an account's layers, by name, the newest first; without objects that are named so that no function finds them. */
export async function allLayerVersions(namespace: string, { objects }: ApiDeps): Promise<readonly LayerObject[]> {
  const found = await objects.list(layers, { namespace });
  const reachable = found.filter(
    ({ metadata, spec }) => metadata.name === layerObjectName(spec.layerName, spec.version),
  );
  return reachable.sort((a, b) => byName(a.spec.layerName, b.spec.layerName) || b.spec.version - a.spec.version);
}

/** Order of names. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
