import type { FunctionObject } from '@kappa/crds/function';
import { type LayerObject, layerObjectName, mayUseLayer, parseLayerVersionArn } from '@kappa/crds/layer';
import type { SnapshotLayer } from '@kappa/crds/version-snapshot';
import type { CodeFailure, ResolvedCode } from './resolve-code.ts';

/** What a function's layers are: zips in the blob store, or why they are not there. */
export type ResolvedLayers =
  | { readonly kind: 'resolved'; readonly layers: readonly SnapshotLayer[] }
  | {
      readonly kind: 'failed';
      /** CamelCase, becomes the reason of the condition `LayersResolved`. */
      readonly reason: LayerFailure;
      /** For people: what was tried and what to do. */
      readonly message: string;
    };

/** Why layers are not there; those of a layer's contents among them. */
export type LayerFailure = CodeFailure | 'LayerMissing' | 'LayerForbidden';

/** What {@link resolveLayers} works with. */
export interface LayerSources {
  /** The account that a namespace is. */
  readonly accountOf: (namespace: string) => string;
  /** The namespace that is an account in a region; undefined = none. */
  readonly namespaceOf: (accountId: string, region: string) => string | undefined;
  /** Null = there is none. */
  readonly find: (namespace: string, name: string) => Promise<LayerObject | null>;
  /** Brings the contents of a layer into the blob store. */
  readonly resolve: (code: LayerObject['spec']['code']) => Promise<ResolvedCode>;
}

/**
 * Finds the layers of a function. An expected failure is a value, not a throw.
 *
 * @param kept layers that the function has already: a version never changes, so it keeps them when they are deleted, or their
 *   permission goes, as in Lambda
 */
export async function resolveLayers(
  { metadata, spec }: FunctionObject,
  kept: readonly SnapshotLayer[],
  sources: LayerSources,
): Promise<ResolvedLayers> {
  const layers: SnapshotLayer[] = [];
  for (const arn of spec.layers ?? []) {
    const found = kept.find((layer) => layer.arn === arn) ?? (await resolveLayer(arn, metadata.namespace, sources));
    if ('kind' in found) return found;
    layers.push(found);
  }
  return { kind: 'resolved', layers };
}

type Failed = Extract<ResolvedLayers, { kind: 'failed' }>;

async function resolveLayer(arn: string, namespace: string, sources: LayerSources): Promise<SnapshotLayer | Failed> {
  const parts = parseLayerVersionArn(arn);
  const owner = parts === null ? undefined : sources.namespaceOf(parts.accountId, parts.region);
  if (parts === null || owner === undefined) return missing(arn);
  const layer = await sources.find(owner, layerObjectName(parts.layerName, parts.version));
  if (layer === null || layer.spec.layerName !== parts.layerName || layer.spec.version !== parts.version)
    return missing(arn);
  const accountId = sources.accountOf(namespace);
  if (!mayUseLayer(layer, parts.accountId, accountId)) {
    const message = `${arn} is not for account ${accountId}: its owner has to add a permission`;
    return { kind: 'failed', reason: 'LayerForbidden', message };
  }
  const code = await sources.resolve(layer.spec.code);
  if (code.kind === 'failed') return { ...code, message: `${arn}: ${code.message}` };
  return { arn, sha256: code.sha256, sizeBytes: code.sizeBytes };
}

function missing(arn: string): Failed {
  return { kind: 'failed', reason: 'LayerMissing', message: `there is no layer version ${arn} in this install` };
}
