import type { GetLayerVersionResponse, LayerVersionsListItem } from '@aws-sdk/client-lambda';
import { type LayerObject, layerVersionArn } from '@kappa/crds/layer';
import type { SnapshotCode } from '@kappa/crds/version-snapshot';

import type { ApiDeps, OperationCall } from '../call.ts';
import { base64Of, instantText } from '../functions/configuration.ts';
import type { LayerReference } from './reference.ts';

/** A version as lists show it. */
export function listItem(
  layer: LayerObject,
  { accountId }: Pick<LayerReference, 'accountId'>,
  region: string,
): LayerVersionsListItem {
  const { metadata, spec } = layer;
  const { layerName, version } = spec;
  return {
    LayerVersionArn: layerVersionArn({ region, accountId, layerName, version }),
    Version: version,
    Description: spec.description,
    CreatedDate: instantText(new Date(metadata.creationTimestampMs ?? 0).toISOString()),
    ...(spec.compatibleRuntimes.length > 0 && {
      CompatibleRuntimes: [...spec.compatibleRuntimes] as LayerVersionsListItem['CompatibleRuntimes'],
    }),
    ...(spec.compatibleArchitectures.length > 0 && { CompatibleArchitectures: [...spec.compatibleArchitectures] }),
    ...(spec.licenseInfo !== undefined && { LicenseInfo: spec.licenseInfo }),
  };
}

/** A version with its contents. What kubectl has put behind a URL is known once the controller has fetched it. */
export async function wholeVersion(
  layer: LayerObject,
  reference: Pick<LayerReference, 'accountId' | 'arn'>,
  { origin }: Pick<OperationCall<unknown>, 'origin'>,
  deps: ApiDeps,
): Promise<GetLayerVersionResponse> {
  const contents = await contentsOf(layer, deps);
  return {
    ...listItem(layer, reference, deps.region),
    LayerArn: reference.arn.replace(/:\d+$/, ''),
    Content: {
      ...(contents !== null && {
        Location: deps.codeUrl(origin, contents.sha256),
        CodeSha256: base64Of(contents.sha256),
      }),
      CodeSize: contents?.sizeBytes ?? 0,
    },
  };
}

/** The zip; null = the controller has yet to store it. */
export async function contentsOf({ spec, status }: LayerObject, { blobs }: ApiDeps): Promise<SnapshotCode | null> {
  const { codeSha256, codeSizeBytes } = status ?? {};
  if (codeSha256 !== undefined && codeSizeBytes !== undefined)
    return { sha256: Buffer.from(codeSha256, 'base64').toString('hex'), sizeBytes: codeSizeBytes };
  const sha256 = spec.code.zip?.sha256;
  const sizeBytes = sha256 === undefined ? null : await blobs.sizeOf(sha256);
  return sha256 === undefined || sizeBytes === null ? null : { sha256, sizeBytes };
}
