import { layerArn, layerVersionArn, parseLayerArn } from '@kappa/crds/layer';

import { denied } from '../../auth/authorizer.ts';
import { InvalidParameterValue } from '../../errors.ts';
import type { OperationCall } from '../call.ts';
import { requireRegion } from '../function-name.ts';

/** A layer as a request names it; it need not exist. */
export interface LayerReference {
  readonly accountId: string;
  readonly layerName: string;
  readonly arn: string;
}

/** The same for one version of it; `arn` is the version's. */
export interface LayerVersionReference extends LayerReference {
  readonly version: number;
}

/** Who asks. */
export type Asking = Pick<OperationCall<unknown>, 'accountId' | 'principal'>;

/**
 * Reads LayerName, which may be an ARN.
 *
 * @throws InvalidParameterValue for what is neither, ResourceNotFound for another region
 */
export function readLayerName(text: string, call: Pick<Asking, 'accountId'>, region: string): LayerReference {
  const own = { region, accountId: call.accountId, layerName: text, version: null };
  const parts = /^[a-zA-Z0-9_-]{1,140}$/.test(text) ? own : parseLayerArn(text);
  if (parts === null || parts.version !== null)
    throw new InvalidParameterValue(`${text.slice(0, 200)} is neither the name of a layer nor the ARN of one.`);
  requireRegion(parts, region);
  const { accountId, layerName } = parts;
  return { accountId, layerName, arn: layerArn({ region, accountId, layerName }) };
}

/** What names one version in a request. */
export interface LayerVersionInput {
  readonly LayerName?: string | undefined;
  readonly VersionNumber?: number | undefined;
}

/** @throws InvalidParameterValue, ResourceNotFound for another region */
export function readLayerVersion(
  { LayerName = '', VersionNumber: version = 0 }: LayerVersionInput,
  call: Pick<Asking, 'accountId'>,
  region: string,
): LayerVersionReference {
  if (version < 1) throw new InvalidParameterValue('Layer Version Cannot be less than 1');
  const layer = readLayerName(LayerName, call, region);
  return { ...layer, version, arn: layerVersionArn({ ...layer, region, version }) };
}

/**
 * Whether the caller may do all with the layers of that account: what it may do with its own was asked before. Fails closed for other
 * accounts of somebody whose rights are the cluster's.
 */
export function isOwn({ accountId, principal }: Asking, layer: Pick<LayerReference, 'accountId'>): boolean {
  const { accounts, identity } = principal;
  if (layer.accountId === accountId || accounts === null) return true;
  return identity === undefined && accounts.includes(layer.accountId);
}

/** @throws AccessDenied for layers of another account */
export function requireOwn(call: Asking, layer: LayerReference, action: string): void {
  if (!isOwn(call, layer)) throw denied(call.principal, { action: `lambda:${action}`, resource: layer.arn });
}
