import { expect, test } from '@jest/globals';
import type { Pod } from '@kappa/crds/client/kinds';
import { makeBarePod } from './bare-pod.ts';
import { benchLabel } from './bench-cluster.ts';

const probe = { httpGet: { path: '/readyz', port: 9101 } };
const container = { name: 'runtime', image: 'i', resources: { limits: { memory: '1Gi' } }, readinessProbe: probe };
const like = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'pools', labels: { 'kappa.dev/pool': 'nodejs24.x' } },
  spec: { containers: [container], nodeName: 'elsewhere', volumes: [{ name: 'tmp', emptyDir: {} }] },
} as unknown as Pod;

test('it is like the pod, but no pool owns it and no node has it yet', () => {
  const { metadata, spec } = makeBarePod(like, 'bare');
  expect(metadata).toEqual({ name: 'bare', namespace: 'pools', labels: { [benchLabel]: 'cluster' } });
  expect(spec).toMatchObject({ containers: [container], volumes: like.spec.volumes });
  expect(spec.nodeName).toBeUndefined();
});

test('node, resources and probe can be chosen', () => {
  const resources = { limits: { cpu: '1' } };
  const { spec } = makeBarePod(like, 'bare', { node: 'n', resources, hasProbe: false });
  expect(spec.nodeName).toBe('n');
  expect(spec.containers[0]).toEqual({ name: 'runtime', image: 'i', resources });
});
