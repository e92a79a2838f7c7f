import { isNotFound } from '@kappa/crds/client/errors';
import { type Kind, pods, pools } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { poolLabel } from '@kappa/crds/labels';
import type { Waiting } from './waiting.ts';

/** What is to end, and how gently. */
export interface Ending {
  /** Of the release: where the controller runs. */
  readonly namespace: string;
  readonly poolNamespace: string;
  /** A call that runs may take so long, seconds. */
  readonly graceSeconds: number;
}

type Api = Pick<Kubernetes, 'list' | 'patch' | 'delete'>;

const controller = 'kappa-controller';
/** Only scaled, never read. */
const deployments: Kind<unknown> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  isNamespaced: true,
  parse: (value) => value,
};
/** A pod that is still there so long after its grace stands on a node that does not answer: only its object can be removed. */
const lostAfterSeconds = 15;

/**
 * Ends the pools of an install and waits until their pods are gone. Idle pods end at once; one that runs a call may finish it within
 * its grace and is killed then. Functions, their versions, aliases and the definitions stay.
 *
 * The controller is stopped first, since it would make the pools anew. It has to be done before the pools' namespace is deleted:
 * Kubernetes looks at a namespace whose pods have 960 s of grace again only after minutes, even when they end in a second.
 *
 * @param waiting its limit should be above the grace by a minute
 * @param nowMs monotonic milliseconds
 * @throws KubernetesError, or Error when something is left in the end
 */
export async function endPools(kubernetes: Api, ending: Ending, waiting: Waiting, nowMs: () => number): Promise<void> {
  await stopController(kubernetes, ending.namespace);
  const lostAtMs = nowMs() + (ending.graceSeconds + lostAfterSeconds) * 1000;
  const asked = new Set<string>();
  await waiting.until('the pools and their pods are gone', async () => {
    const isLate = nowMs() >= lostAtMs;
    const isControlled = !isLate && (await isControllerRunning(kubernetes, ending.namespace));
    const poolCount = await deletePools(kubernetes, ending.poolNamespace);
    const podCount = await deletePods(kubernetes, ending.poolNamespace, isLate ? 0 : ending.graceSeconds, asked);
    return !isControlled && poolCount + podCount === 0;
  });
}

async function stopController(kubernetes: Api, namespace: string): Promise<void> {
  try {
    await kubernetes.patch(deployments, namespace, controller, { spec: { replicas: 0 } }, { subresource: 'scale' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function isControllerRunning(kubernetes: Api, namespace: string): Promise<boolean> {
  const found = await kubernetes.list(pods, { namespace, labelSelector: `app.kubernetes.io/name=${controller}` });
  return found.some(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
}

async function deletePools(kubernetes: Api, namespace: string): Promise<number> {
  const found = await kubernetes.list(pools, { namespace });
  for (const { metadata } of found) await kubernetes.delete(pools, namespace, metadata.name);
  return found.length;
}

/** Asks each pod to end, once with each grace. @returns how many there were */
async function deletePods(
  kubernetes: Api,
  namespace: string,
  graceSeconds: number,
  asked: Set<string>,
): Promise<number> {
  const found = await kubernetes.list(pods, { namespace, labelSelector: poolLabel });
  for (const { metadata } of found) {
    const request = `${metadata.uid} ${graceSeconds}`;
    if (asked.has(request)) continue;
    await kubernetes.delete(pods, namespace, metadata.name, { graceSeconds });
    asked.add(request);
  }
  return found.length;
}
