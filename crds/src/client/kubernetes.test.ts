import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  isAlreadyExists,
  isConflict,
  isGone,
  isInvalid,
  isNotFound,
  isUnavailable,
  KubernetesError,
} from './errors.ts';
import { configMaps, functions, namespaces, pods, pools } from './kinds.ts';
import { connect, type Kubernetes } from './kubernetes.ts';
import { FakeApi, type Fault, ManualClock, until } from './testing.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const map = { metadata: { name: 'a', namespace: 'default' }, data: { key: '1' } };

let api: FakeApi;
let clock: ManualClock;
let kubernetes: Kubernetes;
let problems: unknown[];

beforeEach(async () => {
  api = await new FakeApi().start();
  clock = new ManualClock();
  problems = [];
  kubernetes = connect(api.kubeconfig, {
    runtime: clock,
    component: 'kappa-test',
    instance: 'one',
    onProblem: (problem) => void problems.push(problem),
  });
});

afterEach(() => api.stop());

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error: unknown) => error,
  );
}

test('an object is created, read, replaced, patched, listed and deleted', async () => {
  const created = await kubernetes.create(configMaps, map);
  expect(created.metadata).toMatchObject({ name: 'a', namespace: 'default', uid: 'uid-a', resourceVersion: '1' });
  expect(await kubernetes.get(configMaps, 'default', 'a')).toEqual(created);
  const replaced = await kubernetes.replace(configMaps, { ...created, data: { key: '2' } });
  expect(replaced.data).toEqual({ key: '2' });
  await kubernetes.patch(configMaps, 'default', 'a', { data: { key: '3' } });
  expect((await kubernetes.list(configMaps, { namespace: 'default' })).map(({ data }) => data)).toEqual([{ key: '3' }]);
  expect(await kubernetes.list(configMaps)).toHaveLength(1);
  await kubernetes.delete(configMaps, 'default', 'a', { preconditionUid: 'uid-a', graceSeconds: 0 });
  expect(api.requests.at(-1)?.body).toMatchObject({
    preconditions: { uid: 'uid-a' },
    gracePeriodSeconds: 0,
    propagationPolicy: 'Background',
  });
  expect(await errorOf(kubernetes.get(configMaps, 'default', 'a'))).toMatchObject({ code: 404, reason: 'NotFound' });
});

test('every call, and every watch, carries the credentials of the kubeconfig', async () => {
  const ended = new AbortController();
  await kubernetes.list(configMaps);
  await kubernetes
    .watch(configMaps, { project: () => 1, onChange: () => undefined, signal: ended.signal })
    .whenSynced();
  await until('the watch is open', () => api.openWatches === 1);
  ended.abort();
  expect(new Set(api.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer fake-token']));
});

test('a login helper that fails makes a call fail, as unavailable', async () => {
  const config = JSON.parse(readFileSync(api.kubeconfig, 'utf8'));
  config.users[0].user = {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/nowhere/login', interactiveMode: 'Never' },
  };
  writeFileSync(api.kubeconfig, JSON.stringify(config));
  const error = await errorOf(connect(api.kubeconfig).get(configMaps, 'default', 'a'));
  expect(error).toMatchObject({ code: 0, reason: 'NoCredentials' });
  expect(isUnavailable(error)).toBe(true);
});

test('without a usable kubeconfig there is no client', () => {
  expect(() => connect(`${api.kubeconfig}.missing`)).toThrow('missing');
});

test('deleting what is not there is done', async () => {
  await expect(kubernetes.delete(configMaps, 'default', 'missing')).resolves.toBeUndefined();
});

test('what was read can be written: observed metadata stays behind', async () => {
  const created = await kubernetes.create(configMaps, map);
  await kubernetes.replace(configMaps, created);
  expect(api.requests.at(-1)?.body).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default', uid: 'uid-a', resourceVersion: '1' },
    data: { key: '1' },
  });
});

test('apply is server-side, forced, under its manager', async () => {
  await kubernetes.apply(configMaps, map, 'kappa-controller');
  const { method, url, contentType, body } = api.requests.at(-1) ?? {};
  expect([method, url?.pathname, url?.search, contentType]).toEqual([
    'PATCH',
    `${collection}/a`,
    '?fieldManager=kappa-controller&force=true',
    'application/apply-patch+yaml',
  ]);
  expect(body).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
});

test('applyStatus goes to the status subresource, without a spec', async () => {
  const path = '/apis/kappa.dev/v1alpha1/namespaces/default/functions';
  const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code: { zip: { sha256: 'a'.repeat(64) } } };
  api.put(path, {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name: 'f', namespace: 'default' },
    spec,
  });
  const fn = await kubernetes.applyStatus(
    functions,
    { metadata: { name: 'f', namespace: 'default' }, status: { state: 'Active' } },
    'kappa-controller',
  );
  expect(fn.status).toEqual({ state: 'Active' });
  expect(api.requests.at(-1)?.url.pathname).toBe(`${path}/f/status`);
  expect(api.requests.at(-1)?.body).not.toHaveProperty('spec');
});

test('patches are merge patches, on a subresource if asked', async () => {
  api.put('/api/v1/namespaces/kappa-functions/pods', {
    metadata: { name: 'p', namespace: 'kappa-functions' },
    spec: { containers: [] },
  });
  await kubernetes.patch(pods, 'kappa-functions', 'p', { metadata: { labels: { a: 'b' } } }, { subresource: 'resize' });
  expect(api.requests.at(-1)).toMatchObject({ method: 'PATCH', contentType: 'application/merge-patch+json' });
  expect(api.requests.at(-1)?.url.pathname).toBe('/api/v1/namespaces/kappa-functions/pods/p/resize');
});

test('scale answers with the replicas', async () => {
  api.put('/apis/kappa.dev/v1alpha1/namespaces/kappa-functions/pools', {
    metadata: { name: 'nodejs24.x' },
    spec: { replicas: 1 },
  });
  expect(
    await kubernetes.patch(pools, 'kappa-functions', 'nodejs24.x', { spec: { replicas: 4 } }, { subresource: 'scale' }),
  ).toEqual({ replicas: 4 });
});

test('a kind without namespaces has a path without one', async () => {
  api.put('/api/v1/namespaces', { metadata: { name: 'default' } });
  expect((await kubernetes.get(namespaces, null, 'default')).metadata.namespace).toBe('');
  expect(api.requests.at(-1)?.url.pathname).toBe('/api/v1/namespaces/default');
});

test.each<[reason: string, fault: Fault, is: (error: unknown) => boolean]>([
  ['404 is not found', { status: 404 }, isNotFound],
  ['409 is a conflict', { status: 409 }, isConflict],
  [
    '409 AlreadyExists is one too',
    { status: 409, body: { kind: 'Status', reason: 'AlreadyExists' } },
    (error) => isAlreadyExists(error) && isConflict(error),
  ],
  ['410 is gone', { status: 410 }, isGone],
  [
    '422 is invalid',
    { status: 422, body: { kind: 'Status', reason: 'Invalid', message: 'spec.handler: required' } },
    isInvalid,
  ],
  ['429 is unavailable', { status: 429 }, isUnavailable],
  ['503 is unavailable', { status: 503 }, isUnavailable],
  ['a broken connection is unavailable', 'reset', isUnavailable],
])('errors: %s', async (_reason, fault, is) => {
  api.fail('call', fault);
  const error = await errorOf(kubernetes.get(configMaps, 'default', 'a'));
  expect(error).toBeInstanceOf(KubernetesError);
  expect(
    [isNotFound, isConflict, isGone, isInvalid, isUnavailable].filter((predicate) => predicate(error)),
  ).toHaveLength(1);
  expect(is(error)).toBe(true);
});

test('an error says the call, the server and its reason', async () => {
  api.fail('call', {
    status: 422,
    body: { kind: 'Status', reason: 'Invalid', message: 'spec.handler: required', details: { retryAfterSeconds: 7 } },
  });
  expect(await errorOf(kubernetes.get(configMaps, 'default', 'a'))).toMatchObject({
    message: 'GET /api/v1/namespaces/default/configmaps/a: 422 Invalid: spec.handler: required',
    retryAfterSeconds: 7,
  });
});

test('a server that is not there is unavailable, and says why', async () => {
  await api.stop();
  const gone = await new FakeApi().start();
  const away = connect(gone.kubeconfig);
  const config = readFileSync(gone.kubeconfig, 'utf8');
  await gone.stop();
  expect(config).toContain('127.0.0.1');
  const error = await errorOf(away.get(configMaps, 'default', 'a'));
  expect(isUnavailable(error)).toBe(true);
  expect(error).toMatchObject({ reason: 'Unreachable', cause: expect.objectContaining({ code: 'ECONNREFUSED' }) });
  api = await new FakeApi().start();
});

test('calls share connections', async () => {
  await kubernetes.create(configMaps, map);
  for (let call = 0; call < 20; call += 1) await kubernetes.get(configMaps, 'default', 'a');
  expect(api.connections).toBe(1);
});

test('a kept connection that the server closed is replaced without an error, but a creation is not sent twice', async () => {
  await kubernetes.create(configMaps, map);
  api.fail('call', 'reset', 'reset');
  await expect(kubernetes.get(configMaps, 'default', 'a')).rejects.toMatchObject({ code: 0 }); // the new one broke too
  await kubernetes.get(configMaps, 'default', 'a');
  api.fail('call', 'reset');
  await expect(kubernetes.get(configMaps, 'default', 'a')).resolves.toMatchObject({ data: { key: '1' } });
  api.fail('call', 'reset');
  const before = api.requests.length;
  await expect(
    kubernetes.create(configMaps, { ...map, metadata: { name: 'b', namespace: 'default' } }),
  ).rejects.toMatchObject({ code: 0 });
  expect(api.requests).toHaveLength(before + 1);
});

test('equal events are counted in one object, a minute apart', async () => {
  const regarding = { apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', namespace: 'default', name: 'f', uid: 'u' };
  const text = { type: 'Warning', reason: 'CodeMissing', message: 'no such blob' } as const;
  for (let second = 0; second < 130; second += 1) {
    await kubernetes.event(regarding, text);
    await clock.advance(1_000);
  }
  await kubernetes.event(regarding, { ...text, message: 'another text' });
  await clock.advance(7 * 60_000);
  await kubernetes.event(regarding, text);
  const writes = api.requests.map(({ method, url }) => `${method} ${url.pathname.replace(/[0-9a-f]{16}$/, '*')}`);
  const path = '/apis/events.k8s.io/v1/namespaces/default/events';
  expect(writes).toEqual([`POST ${path}`, `PATCH ${path}/f.*`, `PATCH ${path}/f.*`, `POST ${path}`, `POST ${path}`]);
  expect(api.requests[0]?.body).toMatchObject({
    reportingController: 'kappa.dev/kappa-test',
    reportingInstance: 'one',
    note: 'no such blob',
    regarding,
  });
  expect(api.requests[2]?.body).toEqual({
    series: { count: 121, lastObservedTime: expect.stringMatching(/\.\d{6}Z$/) },
  });
});

test('an event that cannot be written is a problem for the log, not for the caller', async () => {
  api.fail('call', { status: 500 });
  await kubernetes.event({ name: 'f', namespace: 'default' }, { type: 'Normal', reason: 'Ready', message: 'ready' });
  expect(problems).toHaveLength(1);
});
