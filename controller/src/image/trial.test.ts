import { expect, test } from '@jest/globals';
import type { PoolSummary } from '../observed.ts';
import { type ImageTrial, imageProblemOf, trialOf } from './trial.ts';

const poolWith = (status: 'True' | 'False' | 'Unknown', reason: string): PoolSummary => ({
  name: 'image-1',
  uid: 'u',
  generation: 1,
  spec: {
    image: { namespace: 'default', reference: 'r', memoryMiB: 128 },
    replicas: 1,
    minReplicas: 0,
    maxPods: 200,
    idleSeconds: 60,
  },
  status: {
    conditions: [{ type: 'Started', status, reason, message: 'why', lastTransitionTime: '2026-11-22T00:00:00Z' }],
  },
});

test.each<[reason: string, pool: PoolSummary | undefined, want: ImageTrial]>([
  ['no pool yet', undefined, { kind: 'starting', message: 'the first pod of the image is about to start' }],
  [
    'nothing is told yet',
    { ...poolWith('True', 'x'), status: {} },
    { kind: 'starting', message: 'the first pod of the image is about to start' },
  ],
  ['a pod starts', poolWith('Unknown', 'Starting'), { kind: 'starting', message: 'why' }],
  ['one has been ready', poolWith('True', 'Started'), { kind: 'started' }],
  [
    'there is no such image',
    poolWith('False', 'InvalidImage'),
    { kind: 'failed', reason: 'InvalidImage', message: 'why' },
  ],
  [
    'it is not ours',
    poolWith('False', 'ImageAccessDenied'),
    { kind: 'failed', reason: 'ImageAccessDenied', message: 'why' },
  ],
])('trialOf: %s', (_reason, pool, want) => {
  expect(trialOf(pool)).toEqual(want);
});

const notFound = 'rpc error: code = NotFound desc = failed to pull and unpack image "r": not found';

test.each<
  [why: string, waiting: { reason?: string; message?: string } | undefined, want: ReturnType<typeof imageProblemOf>]
>([
  ['it runs', undefined, null],
  ['the agent is brought first', { reason: 'PodInitializing' }, null],
  ['it is being made', { reason: 'ContainerCreating' }, null],
  [
    'no such image',
    { reason: 'ErrImagePull', message: notFound },
    { reason: 'InvalidImage', message: `ErrImagePull: ${notFound}` },
  ],
  [
    'the same in its pause: the same text',
    { reason: 'ImagePullBackOff', message: `Back-off pulling image "r": ErrImagePull: ${notFound}` },
    { reason: 'InvalidImage', message: `ErrImagePull: ${notFound}` },
  ],
  [
    'not let in',
    { reason: 'ErrImagePull', message: 'failed to authorize: 401 Unauthorized' },
    { reason: 'ImageAccessDenied', message: 'ErrImagePull: failed to authorize: 401 Unauthorized' },
  ],
  ['no name of an image', { reason: 'InvalidImageName' }, { reason: 'InvalidImage', message: 'InvalidImageName: ' }],
])('imageProblemOf: %s', (_why, waiting, want) => {
  expect(imageProblemOf(waiting)).toEqual(want);
});

test('what a node says at length is cut', () => {
  const message = imageProblemOf({ reason: 'ErrImagePull', message: 'x'.repeat(5_000) })?.message ?? '';
  expect(message).toHaveLength(600);
});
