import { isDeepStrictEqual } from 'node:util';
import { aliases } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { FunctionUrlOwner } from '@kappa/crds/function-url';
import type { AliasSummary } from '../observed.ts';
import type { Requeue } from '../work-queue.ts';
import { type AliasObserved, makeAliasStatus } from './plan.ts';

/** What the alias reconciler is given. */
export interface AliasWorld {
  readonly kubernetes: Pick<Kubernetes, 'applyStatus'>;
  /** The alias of a key, or undefined when there is none (any more). */
  readonly find: (key: string) => AliasSummary | undefined;
  /** What it refers to. */
  readonly targetOf: (alias: AliasSummary) => Omit<AliasObserved, 'alias' | 'url'>;
  /** Public address of the URL of an alias. */
  readonly urlOf: (owner: FunctionUrlOwner) => string;
  readonly nowMs: () => number;
}

/** Says in an alias's status whether what it refers to is there. */
export async function reconcileAlias(key: string, world: AliasWorld): Promise<Requeue> {
  const alias = world.find(key);
  if (alias === undefined) return {};
  const { urlAlias, functionName } = alias;
  const url =
    urlAlias === null ? null : world.urlOf({ namespace: alias.namespace, name: functionName, alias: urlAlias });
  const status = makeAliasStatus({ alias, url, ...world.targetOf(alias) }, world.nowMs());
  if (isDeepStrictEqual(status, alias.status)) return {};
  const { name, namespace } = alias;
  await world.kubernetes.applyStatus(aliases, { metadata: { name, namespace }, status }, 'kappa-controller');
  return {};
}
