import type {
  DeleteLayerVersionRequest,
  GetLayerVersionByArnRequest,
  GetLayerVersionRequest,
  GetLayerVersionResponse,
  ListLayersRequest,
  ListLayersResponse,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
  PublishLayerVersionRequest,
  PublishLayerVersionResponse,
} from '@aws-sdk/client-lambda';
import { layers } from '@kappa/crds/client/kinds';
import { type LayerObject, layerArn, layerObjectName, parseLayerVersionArn } from '@kappa/crds/layer';

import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { requireRegion } from '../function-name.ts';
import { storeCode } from '../functions/code.ts';
import { pageOf } from '../paging.ts';
import { allLayerVersions, byName, findLayerVersion, namespaceOfLayer, requireLayerVersion } from './find.ts';
import { nextVersion } from './numbers.ts';
import { type LayerReference, readLayerName, readLayerVersion, requireOwn } from './reference.ts';
import { listItem, wholeVersion } from './show.ts';

/** A number that somebody else has taken with kubectl meanwhile is passed over at most so often. */
const MAX_TRIES = 5;

/** PublishLayerVersion: the next version of a layer, the first of a new one. */
export async function publishLayerVersion(
  call: OperationCall<PublishLayerVersionRequest>,
  deps: ApiDeps,
): Promise<PublishLayerVersionResponse> {
  const { LayerName = '', Content = {}, Description = '', LicenseInfo } = call.input;
  const layer = readLayerName(LayerName, call, deps.region);
  requireOwn(call, layer, 'PublishLayerVersion');
  const code = await storeCode(Content, call, deps);
  const made = await create(layer, await requireNamespace(layer, call, deps), deps, {
    description: Description,
    code: { zip: { sha256: code.sha256 } },
    compatibleRuntimes: call.input.CompatibleRuntimes ?? [],
    compatibleArchitectures: call.input.CompatibleArchitectures ?? [],
    permissions: [],
    ...(LicenseInfo !== undefined && { licenseInfo: LicenseInfo }),
  });
  return wholeVersion(made, layer, call, deps);
}

/** GetLayerVersion. */
export async function getLayerVersion(
  call: OperationCall<GetLayerVersionRequest>,
  deps: ApiDeps,
): Promise<GetLayerVersionResponse> {
  const reference = readLayerVersion(call.input, call, deps.region);
  return wholeVersion(await requireLayerVersion(reference, call, deps), reference, call, deps);
}

/** GetLayerVersionByArn. */
export async function getLayerVersionByArn(
  call: OperationCall<GetLayerVersionByArnRequest>,
  deps: ApiDeps,
): Promise<GetLayerVersionResponse> {
  const { Arn = '' } = call.input;
  const parts = parseLayerVersionArn(Arn);
  if (parts === null) throw new ResourceNotFound('The resource you requested does not exist.');
  requireRegion(parts, deps.region);
  const reference = { ...parts, arn: Arn };
  return wholeVersion(await requireLayerVersion(reference, call, deps), reference, call, deps);
}

/** DeleteLayerVersion; one that is not there is fine. Functions that have it keep it. */
export async function deleteLayerVersion(
  call: OperationCall<DeleteLayerVersionRequest>,
  deps: ApiDeps,
): Promise<object> {
  const reference = readLayerVersion(call.input, call, deps.region);
  requireOwn(call, reference, 'DeleteLayerVersion');
  const found = await findLayerVersion(reference, call, deps);
  if (found === null) return {};
  const { namespace, name, uid } = found.metadata;
  await deps.objects.remove(layers, namespace, name, uid);
  return {};
}

/** ListLayers: the newest version of each that the filters leave, by name. */
export async function listLayers(call: OperationCall<ListLayersRequest>, deps: ApiDeps): Promise<ListLayersResponse> {
  const { accountId, input } = call;
  const { region } = deps;
  const newest = new Map<string, LayerObject>();
  for (const layer of (await allLayerVersions(call.namespace, deps)).filter(matching(input)))
    if (!newest.has(layer.spec.layerName)) newest.set(layer.spec.layerName, layer);
  const { entries, ...next } = pageOf([...newest.values()], input, ({ spec }) => spec.layerName, byName);
  const shown = entries.map((layer) => ({
    LayerName: layer.spec.layerName,
    LayerArn: layerArn({ region, accountId, layerName: layer.spec.layerName }),
    LatestMatchingVersion: listItem(layer, call, region),
  }));
  return { Layers: shown, ...next };
}

/** ListLayerVersions: the newest first; none of a layer that is not there. */
export async function listLayerVersions(
  call: OperationCall<ListLayerVersionsRequest>,
  deps: ApiDeps,
): Promise<ListLayerVersionsResponse> {
  const layer = readLayerName(call.input.LayerName ?? '', call, deps.region);
  requireOwn(call, layer, 'ListLayerVersions');
  const namespace = await namespaceOfLayer(layer, call, deps);
  const all = namespace === null ? [] : await allLayerVersions(namespace, deps);
  const versions = all.filter(({ spec }) => spec.layerName === layer.layerName).filter(matching(call.input));
  const { entries, ...next } = pageOf(versions, call.input, ({ spec }) => String(spec.version), newestFirst);
  return { LayerVersions: entries.map((version) => listItem(version, layer, deps.region)), ...next };
}

function newestFirst(a: string, b: string): number {
  return Number(b) - Number(a);
}

/** What a list is narrowed to. */
interface Filter {
  readonly CompatibleRuntime?: string | undefined;
  readonly CompatibleArchitecture?: string | undefined;
}

function matching({ CompatibleRuntime, CompatibleArchitecture }: Filter): (layer: LayerObject) => boolean {
  const isIn = (list: readonly string[], wanted: string | undefined): boolean =>
    wanted === undefined || list.includes(wanted);
  return ({ spec }) =>
    isIn(spec.compatibleRuntimes, CompatibleRuntime) && isIn(spec.compatibleArchitectures, CompatibleArchitecture);
}

async function requireNamespace(layer: LayerReference, call: OperationCall<unknown>, deps: ApiDeps): Promise<string> {
  const namespace = await namespaceOfLayer(layer, call, deps);
  if (namespace !== null) return namespace;
  throw new InvalidParameterValue(`No namespace of this install is the account of ${layer.arn}`);
}

async function create(
  { layerName }: LayerReference,
  namespace: string,
  deps: ApiDeps,
  spec: Omit<LayerObject['spec'], 'layerName' | 'version'>,
): Promise<LayerObject> {
  const versions = (await allLayerVersions(namespace, deps)).filter((layer) => layer.spec.layerName === layerName);
  const highest = versions[0]?.spec.version ?? 0;
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const version = await nextVersion(namespace, layerName, highest, deps);
    const metadata = { namespace, name: layerObjectName(layerName, version) };
    const made = await deps.objects.create(layers, { metadata, spec: { layerName, version, ...spec } });
    if (made !== null) return made;
  }
  throw lambdaException(
    'ResourceConflictException',
    `Versions of ${layerName} are being made by others at the same time: try again`,
  );
}
