import { expect, test } from '@jest/globals';
import { pods } from '@kappa/crds/client/kinds';
import { parseBytes, projectPod } from './pod.ts';

test.each([
  ['128Mi', 134_217_728],
  ['1Gi', 1_073_741_824],
  ['1G', 1_000_000_000],
  ['1769Mi', 1_854_930_944],
  ['0.5Gi', 536_870_912],
  ['134217728', 134_217_728],
  [134_217_728, 134_217_728],
  ['128000m', 128],
  ['lots', null],
  [undefined, null],
])('quantity %p is %p bytes', (quantity, bytes) => {
  expect(parseBytes(quantity)).toBe(bytes);
});

test('a pod is seen as what the node needs of it', () => {
  const pod = projectPod(
    pods.parse({
      metadata: {
        uid: 'u',
        name: 'p',
        namespace: 'n',
        generation: 3,
        resourceVersion: '9',
        deletionTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: {
        nodeName: 'local-a',
        containers: [
          {
            name: 'runtime',
            image: 'kappa/runtime-nodejs:24',
            ports: [{ name: 'health', containerPort: 9101 }],
            resources: { limits: { memory: '128Mi' } },
            readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, failureThreshold: 2 },
          },
        ],
      },
      status: { phase: 'Running', podIP: '127.1.1.1' },
    }),
  );
  expect(pod.deletion).toEqual({ deadlineMs: Date.UTC(2026, 0, 1) });
  expect(pod.container.readiness).toEqual({ path: '/readyz', port: 9101, timeoutMs: 1000, failures: 2 });
  expect(pod.container.memoryBytes).toBe(134_217_728);
  expect(pod).toMatchObject({ uid: 'u', namespace: 'n', nodeName: 'local-a', phase: 'Running', containerCount: 1 });
});
