import { expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { makeNamespace, useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const cluster = useCluster();
const path = (name: string): string => `/api/v1/namespaces/${name}`;

test.each(['default', 'kube-system'])('%s is always there', async (name) => {
  expect(await cluster.api.ok('GET', path(name))).toMatchObject({ kind: 'Namespace', status: { phase: 'Active' } });
});

test('a new namespace is active, named by a label, and has a default account', async () => {
  const namespace = await cluster.api.ok('GET', path(cluster.namespace));
  expect(namespace).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': cluster.namespace } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  await cluster.api.ok('GET', `${path(cluster.namespace)}/serviceaccounts/default`);
});

test('nothing can be made where no namespace is', async () => {
  const status = await cluster.api.refused('POST', `${path('contract-nowhere')}/configmaps`, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } },
  });
  expect(status).toMatchObject({ code: 404, message: 'namespaces "contract-nowhere" not found' });
});

test('a deleted namespace takes what is in it along', async () => {
  const name = await makeNamespace(cluster.api);
  await cluster.api.ok('POST', `${path(name)}/configmaps`, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inside' } },
  });
  await cluster.api.ok('DELETE', path(name));
  await eventually(async () => {
    expect((await cluster.api.send('GET', path(name))).status).toBe(404);
  }, 50_000);
  expect((await cluster.api.send('GET', `${path(name)}/configmaps/inside`)).status).toBe(404);
});

test('while something holds on, it is Terminating and takes nothing new', async () => {
  const name = await makeNamespace(cluster.api);
  const inside = `${path(name)}/configmaps`;
  await cluster.api.ok('POST', inside, {
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'held', finalizers: ['contract.kappa.dev/hold'] },
    },
  });
  await cluster.api.ok('DELETE', path(name));
  await eventually(async () => {
    const namespace: Json = await cluster.api.ok('GET', path(name));
    expect(namespace.status.phase).toBe('Terminating');
    const { metadata } = await cluster.api.ok('GET', `${inside}/held`);
    expect(metadata.deletionTimestamp).toBeDefined();
  }, 50_000);
  const status = await cluster.api.refused('POST', inside, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late' } },
  });
  expect(status).toMatchObject({ code: 403, message: expect.stringContaining('is being terminated') });
  await cluster.api.ok('PATCH', `${inside}/held`, {
    body: [{ op: 'remove', path: '/metadata/finalizers' }],
    contentType: 'application/json-patch+json',
  });
  await eventually(async () => {
    expect((await cluster.api.send('GET', path(name))).status).toBe(404);
  }, 50_000);
});
