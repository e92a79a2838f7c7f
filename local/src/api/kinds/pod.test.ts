import { expect, test } from '@jest/globals';
import { codeOf, makeCaller, makeWorld, type World } from '../testing.ts';

const pod = (more: Record<string, unknown> = {}, container: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], ...more },
});

function patch(world: World, body: unknown, subresource = '') {
  const target = world.target('', 'pods', 'p', { subresource });
  return world.patcher.patch(
    target,
    makeCaller(),
    'application/strategic-merge-patch+json',
    Buffer.from(JSON.stringify(body)),
    new URLSearchParams(),
  ).object;
}

test('a new pod is Pending and has the defaults that readers rely on', () => {
  const made = makeWorld().create(
    'pods',
    pod(
      {},
      {
        resources: { limits: { memory: '64Mi' } },
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      },
    ),
  );
  expect(made).toMatchObject({
    metadata: { generation: 1 },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      serviceAccountName: 'default',
      containers: [
        {
          imagePullPolicy: 'Always',
          resources: { requests: { memory: '64Mi' } },
          env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }],
        },
      ],
    },
    status: { phase: 'Pending', qosClass: 'Burstable' },
  });
});

test.each<[image: string, want: string]>([
  ['i:1', 'IfNotPresent'],
  ['i:latest', 'Always'],
  ['host:5000/i', 'Always'],
  ['i@sha256:abc', 'IfNotPresent'],
])('image %s is pulled %s', (image, want) => {
  expect(makeWorld().create('pods', pod({}, { image }))).toMatchObject({
    spec: { containers: [{ imagePullPolicy: want }] },
  });
});

test.each<[reason: string, object: Record<string, unknown>]>([
  ['no containers', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [] } }],
  ['a container without image', pod({}, { image: '' })],
  [
    'two containers of one name',
    pod({
      containers: [
        { name: 'c', image: 'i' },
        { name: 'c', image: 'i' },
      ],
    }),
  ],
])('%s is refused', (_reason, object) => {
  expect(codeOf(() => makeWorld().create('pods', object))).toBe(422);
});

test.each<[reason: string, body: unknown, subresource: string, code: number]>([
  ['a new image', { spec: { containers: [{ name: 'c', image: 'j' }] } }, '', 0],
  ['a label', { metadata: { labels: { a: 'b' } } }, '', 0],
  ['a first node', { spec: { nodeName: 'n' } }, '', 0],
  ['a command', { spec: { containers: [{ name: 'c', command: ['x'] }] } }, '', 422],
  [
    'resources at the main door',
    { spec: { containers: [{ name: 'c', resources: { limits: { memory: '1Gi' } } }] } },
    '',
    422,
  ],
  [
    'resources at the resize door',
    { spec: { containers: [{ name: 'c', resources: { limits: { memory: '1Gi' } } }] } },
    'resize',
    0,
  ],
  ['an image at the resize door', { spec: { containers: [{ name: 'c', image: 'j' }] } }, 'resize', 422],
  ['any status at the status door', { status: { phase: 'Running' } }, 'status', 0],
])('changing %s', (_reason, body, subresource, code) => {
  const world = makeWorld();
  world.create('pods', pod());
  expect(codeOf(() => patch(world, body, subresource))).toBe(code);
});

test('a pod stays on its node', () => {
  const world = makeWorld();
  world.create('pods', pod({ nodeName: 'one' }));
  expect(codeOf(() => patch(world, { spec: { nodeName: 'two' } }))).toBe(422);
});

test('a resize counts as a new generation, a status does not', () => {
  const world = makeWorld();
  world.create('pods', pod());
  expect(patch(world, { status: { phase: 'Running' } }, 'status').metadata.generation).toBe(1);
  const resized = patch(
    world,
    { spec: { containers: [{ name: 'c', resources: { limits: { memory: '1Gi' } } }] } },
    'resize',
  );
  expect([resized.metadata.generation, resized['status']]).toEqual([2, { phase: 'Running', qosClass: 'BestEffort' }]);
});
