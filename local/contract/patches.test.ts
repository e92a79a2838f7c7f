import { describe, expect, test } from '@jest/globals';
import { type Json, patchTypes } from './api.ts';
import { installCrd, makeCrd, removeCrd, useCluster } from './cluster.ts';

const cluster = useCluster();
const make = (name: string, data: Json = { a: '1', b: '2' }): Promise<Json> =>
  cluster.api.ok('POST', cluster.core('configmaps'), {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { keep: 'yes' } }, data },
  });
const patch = (name: string, body: Json, contentType: string, plural = 'configmaps') =>
  cluster.api.send('PATCH', cluster.core(plural, name), { body, contentType });

describe('merge patch', () => {
  test('null removes, the rest merges', async () => {
    await make('merge');
    const { status, body } = await patch('merge', { data: { a: null, c: '3' } }, patchTypes.merge);
    expect(status).toBe(200);
    expect(body.data).toEqual({ b: '2', c: '3' });
    expect(body.metadata.labels).toEqual({ keep: 'yes' });
  });

  test('a patch that changes nothing moves nothing', async () => {
    const made = await make('merge-same');
    const { body } = await patch('merge-same', { data: { a: '1' } }, patchTypes.merge);
    expect(body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test('a resource version in the patch is a condition', async () => {
    const made = await make('merge-raced');
    await patch('merge-raced', { data: { x: 'y' } }, patchTypes.merge);
    const metadata = { resourceVersion: made.metadata.resourceVersion };
    expect((await patch('merge-raced', { metadata, data: { z: 'z' } }, patchTypes.merge)).status).toBe(409);
  });

  test('the name cannot be patched', async () => {
    await make('merge-name');
    const { status } = await patch('merge-name', { metadata: { name: 'other' } }, patchTypes.merge);
    expect([400, 422]).toContain(status);
  });

  test('what is not there cannot be patched', async () => {
    expect((await patch('nobody', { data: {} }, patchTypes.merge)).status).toBe(404);
  });
});

describe('JSON patch', () => {
  test('operations run in order', async () => {
    await make('json');
    const operations = [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'replace', path: '/data/a', value: 'one' },
      { op: 'add', path: '/data/c', value: '3' },
      { op: 'copy', from: '/data/c', path: '/data/d' },
      { op: 'move', from: '/data/b', path: '/data/e' },
      { op: 'remove', path: '/data/c' },
      { op: 'add', path: '/metadata/annotations', value: {} },
      { op: 'add', path: '/metadata/annotations/a~1b', value: 'x' },
    ];
    const { status, body } = await patch('json', operations, patchTypes.json);
    expect(status).toBe(200);
    expect(body.data).toEqual({ a: 'one', d: '3', e: '2' });
    expect(body.metadata.annotations).toEqual({ 'a/b': 'x' });
  });

  test.each<[reason: string, operations: Json, code: number]>([
    ['a test that does not hold', [{ op: 'test', path: '/data/a', value: 'no' }], 422],
    ['a path that is not there', [{ op: 'remove', path: '/data/zzz' }], 422],
    ['no list of operations', { op: 'remove' }, 400],
  ])('%s refuses all of it', async (reason, operations, code) => {
    const name = `json-${reason.replaceAll(' ', '-').slice(0, 30)}`;
    const made = await make(name);
    const list = Array.isArray(operations) ? [{ op: 'add', path: '/data/x', value: 'x' }, ...operations] : operations;
    expect((await patch(name, list, patchTypes.json)).status).toBe(code);
    const now = await cluster.api.ok('GET', cluster.core('configmaps', name));
    expect(now.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });
});

describe('strategic merge patch', () => {
  const container = (name: string, more: Json = {}): Json => ({ name, image: 'none.invalid/none', ...more });
  const makePod = (name: string): Promise<Json> =>
    cluster.api.ok('POST', cluster.core('pods'), {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, finalizers: ['contract.kappa.dev/a'] },
        spec: { schedulerName: 'nobody', containers: [container('one'), container('two')], tolerations: [] },
      },
    });
  const strategic = (name: string, body: Json) => patch(name, body, patchTypes.strategic, 'pods');
  const release = (name: string) =>
    patch(name, [{ op: 'remove', path: '/metadata/finalizers' }], patchTypes.json, 'pods');

  test('items of a keyed list merge by their key', async () => {
    await makePod('keyed');
    const { status, body } = await strategic('keyed', {
      spec: { containers: [{ name: 'two', image: 'none.invalid/other' }] },
    });
    expect(status).toBe(200);
    expect(body.spec.containers.map((one: Json) => [one.name, one.image])).toEqual([
      ['one', 'none.invalid/none'],
      ['two', 'none.invalid/other'],
    ]);
    await release('keyed');
  });

  test('words merge as a set, and are taken out by name', async () => {
    await makePod('words');
    const added = await strategic('words', { metadata: { finalizers: ['contract.kappa.dev/b'] } });
    expect(added.body.metadata.finalizers.sort()).toEqual(['contract.kappa.dev/a', 'contract.kappa.dev/b']);
    const taken = await strategic('words', {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['contract.kappa.dev/a'] },
    });
    expect(taken.body.metadata.finalizers).toEqual(['contract.kappa.dev/b']);
    await release('words');
  });

  test('$patch replaces a map', async () => {
    await makePod('directive');
    await strategic('directive', { metadata: { labels: { a: '1', b: '2' } } });
    const { body } = await strategic('directive', { metadata: { labels: { $patch: 'replace', c: '3' } } });
    expect(body.metadata.labels).toEqual({ c: '3' });
    await release('directive');
  });

  test('labels of a ConfigMap', async () => {
    await make('strategic-labels');
    const { body } = await patch(
      'strategic-labels',
      { metadata: { labels: { more: 'x', keep: null } } },
      patchTypes.strategic,
    );
    expect(body.metadata.labels).toEqual({ more: 'x' });
  });
});

test('a custom resource takes no strategic merge patch', async () => {
  const crd = makeCrd('patch', { type: 'object', properties: { spec: { type: 'object', properties: {} } } });
  await installCrd(cluster.api, crd);
  const path = cluster.path(`${crd.spec.group}/v1`, 'widgets');
  await cluster.api.ok('POST', path, {
    body: { apiVersion: `${crd.spec.group}/v1`, kind: 'Widget', metadata: { name: 'w' } },
  });
  const answer = await cluster.api.send('PATCH', `${path}/w`, { body: {}, contentType: patchTypes.strategic });
  expect(answer.status).toBe(415);
  await removeCrd(cluster.api, crd.metadata.name);
});

test('an unknown patch type is not supported', async () => {
  await make('typed');
  expect((await patch('typed', {}, 'application/frob')).status).toBe(415);
});
