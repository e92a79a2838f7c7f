import { expect, test } from '@jest/globals';
import { pods } from '@kappa/crds/client/kinds';
import { type ReadKeys, resolveEnvironment } from './environment.ts';
import { type PodView, projectPod } from './pod.ts';
import { podView } from './testing.ts';

const objects = new Map<string, Record<string, string>>([
  ['configMap/kappa-gateway', { publicKey: 'abc' }],
  ['secret/token', { value: 's3cret' }],
]);
const readKeys: ReadKeys = async (kind, _namespace, name) => objects.get(`${kind}/${name}`) ?? null;

/** The variables of a container as the API writes them. */
function podWith(env: readonly unknown[]): PodView {
  const pod = pods.parse({ metadata: { uid: 'u', name: 'p' }, spec: { containers: [{ name: 'c', env }] } });
  return podView({}, { environment: projectPod(pod).container.environment });
}

test('each kind of variable is resolved, in order', async () => {
  const pod = podWith([
    { name: 'PLAIN', value: 'a=b' },
    { name: 'EMPTY' },
    { name: 'UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'SPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'kappa-gateway', key: 'publicKey' } } },
    { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'token', key: 'value' } } },
    { name: 'MAYBE', valueFrom: { secretKeyRef: { name: 'none', key: 'value', optional: true } } },
    { name: 'PLAIN', value: 'last wins' },
  ]);
  expect(await resolveEnvironment(pod, '127.9.9.9', readKeys)).toEqual({
    PLAIN: 'last wins',
    EMPTY: '',
    UID: pod.uid,
    NAME: pod.name,
    SPACE: pod.namespace,
    IP: '127.9.9.9',
    KEY: 'abc',
    SECRET: 's3cret',
  });
});

test.each([
  [
    'a missing object',
    { configMapKeyRef: { name: 'none', key: 'k' } },
    'variable X: configMap "none" not found in namespace kappa-functions',
  ],
  [
    'a missing key',
    { secretKeyRef: { name: 'token', key: 'k' } },
    'variable X: key k not in secret token in namespace kappa-functions',
  ],
  [
    'an unknown field',
    { fieldRef: { fieldPath: 'spec.x' } },
    'variable X: the process node does not know the field spec.x',
  ],
  ['another source', { resourceFieldRef: {} }, 'variable X: the process node does not know resourceFieldRef'],
])('%s is told by name', async (_reason, valueFrom, message) => {
  await expect(resolveEnvironment(podWith([{ name: 'X', valueFrom }]), '', readKeys)).rejects.toThrow(message);
});
