import { functionVersions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import { mayUseLayer, parseLayerVersionArn } from '@kappa/crds/layer';
import { layersMax } from '@kappa/crds/limits';
import type { SnapshotCode, SnapshotLayer } from '@kappa/crds/version-snapshot';

import { denied } from '../../auth/authorizer.ts';
import { BlobError } from '../../blobs/blob-store.ts';
import { InvalidParameterValue, ServiceException } from '../../errors.ts';
import type { ApiDeps } from '../call.ts';
import { findLayerVersion, type LayerCall } from '../layers/find.ts';
import { contentsOf } from '../layers/show.ts';
import { keyOf } from './find.ts';
import { unpackedBytesOf, zipInMemory } from './zip-check.ts';

/**
 * What the layers of a request are.
 *
 * @param arns of the request
 * @param kept layers that the function has already: it keeps them when they are deleted
 * @throws InvalidParameterValue for what is not there or cannot be together, AccessDenied for what is another account's
 */
export async function requireLayers(
  arns: readonly string[],
  kept: readonly SnapshotLayer[],
  call: LayerCall,
  deps: ApiDeps,
): Promise<readonly SnapshotLayer[]> {
  if (arns.length > layersMax) throw new InvalidParameterValue(`Cannot reference more than ${layersMax} layers.`);
  requireDifferent(arns);
  return Promise.all(
    arns.map(async (arn) => kept.find((layer) => layer.arn === arn) ?? (await requireLayer(arn, call, deps))),
  );
}

/** The layers that a function has, as far as it has been served with them. */
export async function keptLayers(
  { metadata, spec, status }: FunctionObject,
  { objects }: ApiDeps,
): Promise<readonly SnapshotLayer[]> {
  if ((spec.layers ?? []).length === 0 || status?.latestVersion === undefined) return [];
  const latest = await objects.find(functionVersions, metadata.namespace, status.latestVersion);
  return latest?.spec.layers ?? [];
}

/**
 * Code and layers must have room together; without layers the code's own check is enough. Code that is not in the store yet is checked when
 * it is unpacked.
 *
 * @throws InvalidParameterValue
 */
export async function requireRoomTogether(
  code: Pick<SnapshotCode, 'sha256'> | null,
  layers: readonly SnapshotLayer[],
  deps: ApiDeps,
): Promise<void> {
  if (layers.length === 0) return;
  let bytes = 0;
  for (const { sha256 } of [...(code === null ? [] : [code]), ...layers]) bytes += await unpackedBytes(sha256, deps);
  const { unpackedBytes: maxBytes } = deps.codeLimits;
  if (bytes > maxBytes)
    throw new InvalidParameterValue(
      `Function code combined with layers exceeds the maximum allowed size of ${maxBytes} bytes. The actual size is ${bytes} bytes.`,
    );
}

/** How an answer shows layers. */
export interface ShownLayer {
  readonly Arn: string;
  readonly CodeSize: number;
}

/** The layers of `$LATEST`, with the sizes that some version of the function, or the layer itself, says. */
export async function shownLayers({ metadata, spec }: FunctionObject, deps: ApiDeps): Promise<ShownLayer[]> {
  if ((spec.layers ?? []).length === 0) return [];
  const seen = deps.directory.look(keyOf(metadata)).versions.flatMap(({ layers }) => layers);
  return Promise.all(
    (spec.layers ?? []).map(async (arn) => {
      const bytes = seen.find((layer) => layer.arn === arn)?.bytes;
      return { Arn: arn, CodeSize: bytes ?? (await sizeOf(arn, deps)) };
    }),
  );
}

async function sizeOf(arn: string, deps: ApiDeps): Promise<number> {
  const parts = parseLayerVersionArn(arn);
  const owner = parts === null ? undefined : await deps.directory.namespaceOf(parts.accountId);
  if (parts === null || owner === undefined) return 0;
  const { accountId } = parts;
  const layer = await findLayerVersion({ ...parts, arn }, { accountId, namespace: owner }, deps);
  return layer === null ? 0 : ((await contentsOf(layer, deps))?.sizeBytes ?? 0);
}

function requireDifferent(arns: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const arn of arns) {
    const layer = arn.slice(0, arn.lastIndexOf(':'));
    const other = seen.get(layer);
    if (other !== undefined)
      throw new InvalidParameterValue(
        `Two different versions of the same layer are not allowed to be referenced in the same function. ${other} and ${arn}.`,
      );
    seen.set(layer, arn);
  }
}

async function requireLayer(arn: string, call: LayerCall, deps: ApiDeps): Promise<SnapshotLayer> {
  const parts = parseLayerVersionArn(arn);
  const isHere = parts !== null && parts.region === deps.region;
  const layer = isHere ? await findLayerVersion({ ...parts, arn }, call, deps) : null;
  const contents = layer === null ? null : await contentsOf(layer, deps);
  if (parts === null || layer === null) throw new InvalidParameterValue(`Layer version ${arn} does not exist.`);
  if (!mayUseLayer(layer, parts.accountId, call.accountId))
    throw denied(call.principal, { action: 'lambda:GetLayerVersion', resource: arn });
  if (contents === null) throw new InvalidParameterValue(`Layer version ${arn} is not ready yet.`);
  return { arn, ...contents };
}

/** One zip at a time is in memory for that. */
async function unpackedBytes(sha256: string, { blobs, uploads }: ApiDeps): Promise<number> {
  try {
    return await uploads.alone(async () => unpackedBytesOf(zipInMemory(await blobs.get(sha256))));
  } catch (err) {
    if (!(err instanceof BlobError)) throw err;
    if (err.code === 'NotFound') return 0;
    throw new ServiceException('The code store does not answer at the moment.', { retryAfterSeconds: 1, cause: err });
  }
}
