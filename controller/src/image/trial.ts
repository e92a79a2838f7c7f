import { findCondition } from '@kappa/crds/conditions';
import type { PoolSummary } from '../observed.ts';

/**
 * How it stands with an image. A new image is tried: its pool keeps one pod until one has been ready, and only then do calls go there. So an
 * image that cannot be pulled fails its deployment, not its callers, and a node has it before the first call comes.
 */
export type ImageTrial =
  | { readonly kind: 'started' }
  | { readonly kind: 'starting'; readonly message: string }
  | { readonly kind: 'failed'; readonly reason: 'InvalidImage' | 'ImageAccessDenied'; readonly message: string };

/** Condition of an image's Pool: True for good once a pod of it has been ready. */
export const startedCondition = 'Started';

/** Reads the trial off the image's Pool; undefined = there is none yet. */
export function trialOf(pool: PoolSummary | undefined): ImageTrial {
  const started = findCondition(pool?.status?.conditions, startedCondition);
  if (started?.status === 'True') return { kind: 'started' };
  const message = started?.message ?? 'the first pod of the image is about to start';
  if (started?.status !== 'False') return { kind: 'starting', message };
  return { kind: 'failed', reason: started.reason === 'ImageAccessDenied' ? started.reason : 'InvalidImage', message };
}

/** Why the image of a pod is not there, as its node tells it. */
export interface ImageProblem {
  readonly reason: 'InvalidImage' | 'ImageAccessDenied';
  /** For people, of the node. */
  readonly message: string;
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
const deniedPattern = /unauthorized|forbidden|access denied|authentication required|no basic auth|\b40[13]\b/i;
const maxMessageChars = 600;

/** Reads a container's `state.waiting`; null = nothing is wrong with its image. @see https://kubernetes.io/docs/concepts/containers/images/ */
export function imageProblemOf(
  waiting: { readonly reason?: string; readonly message?: string } | undefined,
): ImageProblem | null {
  const { reason = '', message = '' } = waiting ?? {};
  if (!waitReasons.has(reason)) return null;
  const cause = message.replace(/^Back-off pulling image "[^"]*": /, ''); // said in turns with the cause itself: one text for both
  const text = (cause === message ? `${reason}: ${message}` : cause).slice(0, maxMessageChars);
  return { reason: deniedPattern.test(message) ? 'ImageAccessDenied' : 'InvalidImage', message: text };
}
