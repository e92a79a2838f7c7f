import { expect, test } from '@jest/globals';
import type { PoolSummary } from '../observed.ts';
import { type ImageTrial, imageProblemOf, startProblemOf, trialOf } from './trial.ts';

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
  ['it took too long', poolWith('False', 'StartTimeout'), { kind: 'failed', reason: 'StartTimeout', message: 'why' }],
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
    { reason: 'InvalidImage', message: `ErrImagePull: ${notFound}`, isFinal: true },
  ],
  [
    'the same in its pause: the same text',
    { reason: 'ImagePullBackOff', message: `Back-off pulling image "r": ErrImagePull: ${notFound}` },
    { reason: 'InvalidImage', message: `ErrImagePull: ${notFound}`, isFinal: true },
  ],
  [
    'not let in',
    { reason: 'ErrImagePull', message: 'failed to authorize: 401 Unauthorized' },
    { reason: 'ImageAccessDenied', message: 'ErrImagePull: failed to authorize: 401 Unauthorized', isFinal: true },
  ],
  [
    'no name of an image',
    { reason: 'InvalidImageName' },
    { reason: 'InvalidImage', message: 'InvalidImageName: ', isFinal: true },
  ],
  [
    'a registry that is away, maybe for a moment',
    { reason: 'ErrImagePull', message: 'dial tcp 198.51.100.1:443: i/o timeout' },
    { reason: 'InvalidImage', message: 'ErrImagePull: dial tcp 198.51.100.1:443: i/o timeout', isFinal: false },
  ],
  [
    'a busy engine',
    { reason: 'CreateContainerError', message: 'context deadline exceeded' },
    { reason: 'InvalidImage', message: 'CreateContainerError: context deadline exceeded', isFinal: false },
  ],
])('imageProblemOf: %s', (_why, waiting, want) => {
  expect(imageProblemOf(waiting)).toEqual(want);
});

test('what a node says at length is cut', () => {
  const message = imageProblemOf({ reason: 'ErrImagePull', message: 'x'.repeat(5_000) })?.message ?? '';
  expect(message).toHaveLength(400);
});

const waiting = (reason: string) => ({ name: 'agent', ready: false, restartCount: 0, state: { waiting: { reason } } });

test.each<[why: string, status: Parameters<typeof startProblemOf>[0], want: string | null]>([
  ['nothing is told', undefined, null],
  [
    'no node has room',
    {
      conditions: [
        { type: 'PodScheduled', status: 'False', message: '0/1 nodes are available: 1 Insufficient memory.' },
      ],
    },
    'no node takes its pod: 0/1 nodes are available: 1 Insufficient memory.',
  ],
  [
    'the agent cannot be pulled',
    { initContainerStatuses: [waiting('ErrImagePull')] },
    'the init container of its pod, of this install: ErrImagePull: ',
  ],
  ['it is on its way', { initContainerStatuses: [waiting('PodInitializing')] }, null],
])('startProblemOf: %s', (_why, status, want) => {
  expect(startProblemOf(status)).toBe(want);
});
