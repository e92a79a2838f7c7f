import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from '@kappa/crds/client/kubernetes';
import { until } from '@kappa/crds/client/testing';

import { base64Values, type KeepingCluster, startKeepingCluster } from '../snapshot/testing.ts';
import { principalOf, watchAccessKeys } from './access-keys.ts';

const collection = '/api/v1/namespaces/kappa-system/secrets';
let cluster: KeepingCluster;

beforeEach(async () => {
  cluster = await startKeepingCluster();
});
afterEach(() => cluster.stop());

function put(name: string, values: Record<string, string>, annotations: Record<string, string> = {}): void {
  const labels = { 'kappa.dev/access-key': 'true' };
  cluster.api.put(collection, {
    metadata: { name, namespace: 'kappa-system', labels, annotations },
    data: base64Values(values),
  });
}

const secretAccessKey = '0123456789abcdef';
const live = () =>
  watchAccessKeys({
    kubernetes: connect(cluster.api.kubeconfig, {
      snapshots: { directory: cluster.directory, pacing: { quietMs: 1, everyMs: 2 } },
    }),
    namespace: 'kappa-system',
    signal: cluster.signal,
    onProblem: (problem) => void cluster.problems.push(problem),
  });

test('keys come, change and go with their Secrets', async () => {
  put('first', { accessKeyId: 'AKFIRST', secretAccessKey: `${secretAccessKey}\n` });
  const keys = live();
  expect([keys.isKnown(), keys.find('AKFIRST')]).toEqual([false, undefined]);
  await keys.informer.whenSynced();
  expect([keys.isKnown(), keys.find('AKFIRST')]).toEqual([
    true,
    { accessKeyId: 'AKFIRST', secretAccessKey, accounts: null, name: 'first' },
  ]);
  expect(cluster.api.requests[0]?.url.searchParams.get('labelSelector')).toBe('kappa.dev/access-key=true');
  await until('the watch is open', () => cluster.api.openWatches === 1);
  put('first', { accessKeyId: 'AKSECOND', secretAccessKey });
  await until('the new id is known', () => keys.find('AKSECOND') !== undefined);
  expect(keys.find('AKFIRST')).toBeUndefined();
  cluster.api.remove(collection, 'first');
  await until('it is gone', () => keys.find('AKSECOND') === undefined);
});

test('a key may be bound to accounts, by the Secret itself or an annotation', async () => {
  const annotations = { 'kappa.dev/accounts': '111111111111, 222222222222' };
  put('a', { accessKeyId: 'AKA', secretAccessKey }, annotations);
  put('b', { accessKeyId: 'AKB', secretAccessKey, accounts: '333333333333' }, annotations);
  const keys = live();
  await keys.informer.whenSynced();
  expect(keys.find('AKA')?.accounts).toEqual(['111111111111', '222222222222']);
  expect(keys.find('AKB')?.accounts).toEqual(['333333333333']);
});

test('a key may have the rights of somebody in the cluster', async () => {
  put('user', { accessKeyId: 'AKUSER', secretAccessKey, user: 'jane', groups: 'team-a, team-b' });
  put('account', { accessKeyId: 'AKACCOUNT', secretAccessKey }, { 'kappa.dev/service-account': 'team-a/deployer' });
  const keys = live();
  await keys.informer.whenSynced();
  expect(keys.find('AKUSER')?.identity).toEqual({
    user: 'jane',
    groups: ['team-a', 'team-b', 'system:authenticated'],
  });
  expect(keys.find('AKACCOUNT')?.identity).toEqual({
    user: 'system:serviceaccount:team-a:deployer',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a', 'system:authenticated'],
  });
  const key = keys.find('AKUSER');
  expect(key && principalOf(key)).toBe(key && principalOf(key));
});

test.each<[string, Record<string, string>]>([
  ['groups of nobody', { accessKeyId: 'AKBAD', secretAccessKey, groups: 'team-a' }],
  ['an empty user', { accessKeyId: 'AKBAD', secretAccessKey, user: '' }],
  ['half a service account', { accessKeyId: 'AKBAD', secretAccessKey, serviceAccount: 'deployer' }],
  ['two identities', { accessKeyId: 'AKBAD', secretAccessKey, serviceAccount: 'a/b', user: 'jane' }],
  ['no id', { secretAccessKey }],
  ['a strange id', { accessKeyId: 'AK/1', secretAccessKey }],
  ['no secret', { accessKeyId: 'AKBAD' }],
  ['a short secret', { accessKeyId: 'AKBAD', secretAccessKey: 'short' }],
  ['no account among accounts', { accessKeyId: 'AKBAD', secretAccessKey, accounts: '' }],
  ['a bad account', { accessKeyId: 'AKBAD', secretAccessKey, accounts: '111111111111,team' }],
])('a Secret with %s is no key, and that is told without its values', async (_what, values) => {
  put('bad', values);
  const keys = live();
  await keys.informer.whenSynced();
  expect(keys.find(values['accessKeyId'] ?? '')).toBeUndefined();
  expect(cluster.problems).toEqual([expect.stringMatching(/^Secret kappa-system\/bad is no access key: /)]);
  expect(cluster.problems[0]).not.toContain(secretAccessKey);
});

test('of two Secrets with one id the first by name counts', async () => {
  put('b', { accessKeyId: 'AKBOTH', secretAccessKey: `${secretAccessKey}-b` });
  put('a', { accessKeyId: 'AKBOTH', secretAccessKey: `${secretAccessKey}-a` });
  const keys = live();
  await keys.informer.whenSynced();
  expect(keys.find('AKBOTH')?.secretAccessKey).toBe(`${secretAccessKey}-a`);
  expect(cluster.problems).toEqual(['Secret kappa-system/b has the access key id of another one']);
});

test('after a restart the keys are there while the API server is away', async () => {
  put('first', { accessKeyId: 'AKFIRST', secretAccessKey });
  await live().informer.whenSynced();
  await until('they are kept', () => cluster.keptText('access-keys').includes('AKFIRST'));
  expect(statSync(join(cluster.directory, 'access-keys')).mode & 0o777).toBe(0o600);
  cluster.restart();
  cluster.api.fail('list', ...Array<'reset'>(50).fill('reset'));
  const keys = live();
  await keys.informer.whenSynced();
  expect([keys.informer.isStale, keys.find('AKFIRST')?.secretAccessKey]).toEqual([true, secretAccessKey]);
});
