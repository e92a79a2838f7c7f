import type { Pod } from '@kappa/crds/client/kinds';
import { findCondition } from '@kappa/crds/conditions';
import { imagePoolName, poolImageOf } from '@kappa/crds/image-pool';
import type { PoolSummary } from '../observed.ts';

/**
 * How it stands with an image. A new image is tried: its pool keeps one pod until one has been ready, and only then do calls go there. So an
 * image that cannot be pulled fails its deployment, not its callers, and a node has it before the first call comes.
 */
export type ImageTrial =
  | { readonly kind: 'started' }
  | { readonly kind: 'starting'; readonly message: string }
  | {
      readonly kind: 'failed';
      /** `StartTimeout`: for a cause that is not known to be the image's. */
      readonly reason: 'InvalidImage' | 'ImageAccessDenied' | 'StartTimeout';
      readonly message: string;
    };

/** Condition of an image's Pool: Unknown while it is tried, True for good once a pod of it has been ready. */
export const startedCondition = 'Started';

/** Reads the trial off the image's Pool; undefined = there is none yet. */
export function trialOf(pool: PoolSummary | undefined): ImageTrial {
  const started = findCondition(pool?.status?.conditions, startedCondition);
  if (started?.status === 'True') return { kind: 'started' };
  const message = started?.message ?? 'the first pod of the image is about to start';
  if (started?.status !== 'False') return { kind: 'starting', message };
  const reason = trialFailures.find((known) => known === started.reason) ?? 'InvalidImage';
  return { kind: 'failed', reason, message };
}

/** How it stands with the image of a snapshot in a namespace; one of a zip has none to try. */
export function trialIn(
  namespace: string,
  spec: Parameters<typeof poolImageOf>[1],
  poolOf: (name: string) => PoolSummary | undefined,
): ImageTrial {
  const image = poolImageOf(namespace, spec);
  return image === null ? { kind: 'started' } : trialOf(poolOf(imagePoolName(image)));
}

const trialFailures = ['InvalidImage', 'ImageAccessDenied', 'StartTimeout'] as const;

/** Why the image of a pod is not there, as its node tells it. */
export interface ImageProblem {
  readonly reason: 'InvalidImage' | 'ImageAccessDenied';
  /** For people, of the node. */
  readonly message: string;
  /** To pull again helps nothing before somebody changes something; else it may be over in a moment. */
  readonly isFinal: boolean;
}

/** States in which a container waits for its image, and in which it may wait for ever. */
const waitReasons: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
/** Of these and of what the registry says outright nothing is over by itself. */
const finalReasons: ReadonlySet<string> = new Set(['InvalidImageName', 'ErrImageNeverPull']);
const missingPattern = /not found|(blob|manifest|name) unknown|no match for platform|no matching manifest/i;
const deniedPattern = /unauthorized|forbidden|access denied|authentication required|no basic auth|\b40[13]\b/i;
/** A Function's status has room for 1,024 characters, with the name of the image and what is said around it. */
const maxMessageChars = 400;

/** Reads a container's `state.waiting`; null = nothing is wrong with its image. @see https://kubernetes.io/docs/concepts/containers/images/ */
export function imageProblemOf(
  waiting: { readonly reason?: string; readonly message?: string } | undefined,
): ImageProblem | null {
  const { reason = '', message = '' } = waiting ?? {};
  if (!waitReasons.has(reason)) return null;
  const cause = message.replace(/^Back-off pulling image "[^"]*": /, ''); // said in turns with the cause itself: one text for both
  const text = (cause === message ? `${reason}: ${message}` : cause).slice(0, maxMessageChars);
  const isDenied = deniedPattern.test(message);
  return {
    reason: isDenied ? 'ImageAccessDenied' : 'InvalidImage',
    message: text,
    isFinal: isDenied || finalReasons.has(reason) || missingPattern.test(message),
  };
}

/** Why a pod has not come to its own image yet, for people: no node has room, or what comes before it cannot be pulled; null = nobody knows. */
export function startProblemOf(status: Pod['status']): string | null {
  const scheduled = findCondition(status?.conditions, 'PodScheduled');
  if (scheduled?.status === 'False')
    return `no node takes its pod: ${scheduled.message ?? ''}`.slice(0, maxMessageChars);
  const waits = (status?.initContainerStatuses ?? []).map(({ state }) => imageProblemOf(state?.waiting));
  const problem = waits.find((found) => found !== null);
  return problem
    ? `the init container of its pod, of this install: ${problem.message}`.slice(0, maxMessageChars)
    : null;
}
