import { isDeepStrictEqual } from 'node:util';
import { isNotFound } from '@kappa/crds/client/errors';
import { layers } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type CodeSources, codeRetryMs, mayRecover, resolveCode } from '../function/resolve-code.ts';
import type { LayerSummary } from '../observed.ts';
import type { Requeue } from '../work-queue.ts';
import { makeLayerStatus } from './plan.ts';

/** What the layer reconciler is given. */
export interface LayerWorld {
  readonly kubernetes: Pick<Kubernetes, 'get' | 'applyStatus'>;
  /** The layer version of a key, or undefined when there is none (any more). */
  readonly find: (key: string) => LayerSummary | undefined;
  readonly code: CodeSources;
  readonly nowMs: () => number;
}

/** Brings a layer version's contents into the blob store and says in its status what they are. */
export async function reconcileLayer(key: string, world: LayerWorld): Promise<Requeue> {
  const summary = world.find(key);
  if (summary === undefined || summary.isSettled) return {};
  const { namespace, name } = summary;
  try {
    const layer = await world.kubernetes.get(layers, namespace, name);
    const code = await resolveCode(layer.spec.code, world.code);
    const status = makeLayerStatus(layer, code, world.nowMs());
    if (!isDeepStrictEqual(layer.status, status))
      await world.kubernetes.applyStatus(layers, { metadata: { name, namespace }, status }, 'kappa-controller');
    return code.kind === 'failed' && mayRecover(code.reason) ? { requeueAfterMs: codeRetryMs } : {};
  } catch (error) {
    if (isNotFound(error)) return {}; // deleted meanwhile
    throw error;
  }
}
