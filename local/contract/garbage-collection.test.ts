import { expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const cluster = useCluster();
/** The collector learns of objects by watching and works through a queue: a real cluster takes some seconds. */
const patienceMs = 50_000;

const make = (name: string, metadata: Json = {}): Promise<Json> =>
  cluster.api.ok('POST', cluster.core('configmaps'), {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } },
  });
const ownedBy = (owner: Json, more: Json = {}): Json => ({
  ownerReferences: [
    { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid, ...more },
  ],
});
const remove = (name: string, propagationPolicy?: string): Promise<Json> =>
  cluster.api.ok('DELETE', cluster.core('configmaps', name), {
    query: propagationPolicy === undefined ? {} : { propagationPolicy },
  });
const isGone = (name: string): Promise<void> =>
  eventually(async () => {
    expect((await cluster.api.send('GET', cluster.core('configmaps', name))).status).toBe(404);
  }, patienceMs);

test('what an object owned goes after it, grandchildren too', async () => {
  const owner = await make('owner');
  const child = await make('child', ownedBy(owner));
  await make('grandchild', ownedBy(child));
  await make('bystander');
  await remove('owner');
  await isGone('child');
  await isGone('grandchild');
  expect((await cluster.api.send('GET', cluster.core('configmaps', 'bystander'))).status).toBe(200);
});

test('an object with two owners lives until both are gone', async () => {
  const [first, second] = [await make('first'), await make('second')];
  const references = [...ownedBy(first).ownerReferences, ...ownedBy(second).ownerReferences];
  await make('common', { ownerReferences: references });
  await remove('first');
  await eventually(async () => {
    const { metadata } = await cluster.api.ok('GET', cluster.core('configmaps', 'common'));
    expect(metadata.ownerReferences.map((one: Json) => one.name)).toEqual(['second']);
  }, patienceMs);
  await remove('second');
  await isGone('common');
});

test('an owner of that name with another uid does not count', async () => {
  await make('namesake');
  await make('orphan', ownedBy({ metadata: { name: 'namesake', uid: '00000000-0000-4000-8000-000000000000' } }));
  await isGone('orphan');
});

test('in the foreground the owner waits for what it blocks on', async () => {
  const owner = await make('foreground');
  await make('blocking', { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ['contract.kappa.dev/hold'] });
  await remove('foreground', 'Foreground');
  await eventually(async () => {
    const waiting = await cluster.api.ok('GET', cluster.core('configmaps', 'foreground'));
    expect(waiting.metadata.finalizers).toContain('foregroundDeletion');
    const child = await cluster.api.ok('GET', cluster.core('configmaps', 'blocking'));
    expect(child.metadata.deletionTimestamp).toBeDefined();
  }, patienceMs);
  await cluster.api.ok('PATCH', cluster.core('configmaps', 'blocking'), {
    body: { metadata: { finalizers: null } },
    contentType: 'application/merge-patch+json',
  });
  await isGone('blocking');
  await isGone('foreground');
});

test('orphaned children stay and lose their owner', async () => {
  const owner = await make('leaving');
  await make('staying', ownedBy(owner));
  await remove('leaving', 'Orphan');
  await isGone('leaving');
  const { metadata } = await cluster.api.ok('GET', cluster.core('configmaps', 'staying'));
  expect(metadata.ownerReferences ?? []).toEqual([]);
});
