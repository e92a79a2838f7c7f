import { describe, expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster({ kappa: true });
const get = (path: string, accept?: string): Promise<Json> =>
  cluster.api.ok('GET', path, accept === undefined ? {} : { accept });

test.each(['/healthz', '/livez', '/readyz'])('%s is well', async (path) => {
  expect(await cluster.api.send('GET', path)).toMatchObject({ status: 200, text: 'ok' });
});

test('/version names a Kubernetes version', async () => {
  expect(await get('/version')).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) });
});

describe('one document after the other', () => {
  test('/api and /apis name the versions', async () => {
    expect(await get('/api')).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const { kind, groups } = await get('/apis');
    expect(kind).toBe('APIGroupList');
    const kappa = groups.find((group: Json) => group.name === 'kappa.dev');
    const version = { groupVersion: 'kappa.dev/v1alpha1', version: 'v1alpha1' };
    expect(kappa).toMatchObject({ versions: [version], preferredVersion: version });
  });

  test('/api/v1 describes the resources', async () => {
    const { kind, groupVersion, resources } = await get('/api/v1');
    expect({ kind, groupVersion }).toEqual({ kind: 'APIResourceList', groupVersion: 'v1' });
    const pods = resources.find((one: Json) => one.name === 'pods');
    expect(pods).toMatchObject({
      kind: 'Pod',
      singularName: 'pod',
      namespaced: true,
      shortNames: ['po'],
      categories: ['all'],
    });
    expect(pods.verbs).toEqual(
      expect.arrayContaining(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']),
    );
    const names = resources.map((one: Json) => one.name);
    expect(names).toEqual(
      expect.arrayContaining([
        'configmaps',
        'events',
        'namespaces',
        'nodes',
        'pods',
        'pods/log',
        'pods/resize',
        'pods/status',
        'secrets',
        'serviceaccounts',
        'serviceaccounts/token',
        'services',
      ]),
    );
  });

  test('a group and a version of custom resources', async () => {
    expect(await get('/apis/kappa.dev')).toMatchObject({ kind: 'APIGroup', name: 'kappa.dev' });
    const { resources } = await get('/apis/kappa.dev/v1alpha1');
    const byName = new Map<string, Json>(resources.map((one: Json) => [one.name, one]));
    expect(byName.get('functions')).toMatchObject({
      kind: 'Function',
      singularName: 'function',
      namespaced: true,
      shortNames: ['fn'],
      categories: ['kappa'],
    });
    expect(byName.get('functions/status')).toMatchObject({ kind: 'Function', verbs: ['get', 'patch', 'update'] });
    expect(byName.get('functions/scale')).toMatchObject({ kind: 'Scale', group: 'autoscaling', version: 'v1' });
  });

  test('what is not served is not found', async () => {
    expect((await cluster.api.send('GET', '/apis/nobody.example')).status).toBe(404);
    expect((await cluster.api.send('GET', '/api/v1/nothings')).status).toBe(404);
  });
});

describe('all in one document', () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

  test.each([
    ['/api', '', 'v1', 'pods'],
    ['/apis', 'kappa.dev', 'v1alpha1', 'functions'],
  ])('%s lists the resources of group "%s"', async (path, group, version, resource) => {
    const answer = await cluster.api.send('GET', path, { accept });
    expect(answer.body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
    expect(String(answer.headers['content-type'])).toContain('as=APIGroupDiscoveryList');
    const found = answer.body.items.find((one: Json) => (one.metadata.name ?? '') === group);
    const served = found.versions.find((one: Json) => one.version === version);
    expect(served.resources.find((one: Json) => one.resource === resource)).toMatchObject({
      scope: 'Namespaced',
      responseKind: { kind: resource === 'pods' ? 'Pod' : 'Function' },
    });
  });
});

describe('OpenAPI v3', () => {
  test('the index leads to documents that describe the kinds', async () => {
    const { paths } = await get('/openapi/v3');
    const url = paths['apis/kappa.dev/v1alpha1'].serverRelativeURL;
    expect(url).toMatch(/^\/openapi\/v3\/apis\/kappa\.dev\/v1alpha1\?hash=/);
    const document = await get(url);
    expect(document.openapi).toMatch(/^3\./);
    const gvk = { group: 'kappa.dev', version: 'v1alpha1', kind: 'Function' };
    const schema: Json = Object.values(document.components.schemas).find((one: Json) =>
      one['x-kubernetes-group-version-kind']?.some((id: Json) => id.kind === 'Function'),
    );
    expect(schema.properties.spec.properties.memoryMiB).toMatchObject({ type: 'integer', minimum: 128, default: 128 });
    const one = document.paths['/apis/kappa.dev/v1alpha1/namespaces/{namespace}/functions/{name}'];
    expect(one.patch['x-kubernetes-group-version-kind']).toEqual(gvk);
    expect(one.patch.parameters.map((parameter: Json) => parameter.name)).toContain('fieldValidation');
  });

  test('the core group has one too', async () => {
    const { paths } = await get('/openapi/v3');
    const document = await get(paths['api/v1'].serverRelativeURL);
    expect(Object.keys(document.components.schemas)).toContain('io.k8s.api.core.v1.Pod');
  });
});

describe('who may ask', () => {
  test('a wrong token is refused', async () => {
    const answer = await cluster.api.send('GET', '/api/v1/namespaces', { token: 'wrong' });
    expect(answer).toMatchObject({
      status: 401,
      body: { kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 },
    });
  });

  test('nobody in particular may not list secrets', async () => {
    const answer = await cluster.api.send('GET', '/api/v1/secrets', { token: '' });
    expect([401, 403]).toContain(answer.status);
  });
});

test('OpenAPI v2 is there for clients that still ask for it', async () => {
  expect(await get('/openapi/v2')).toMatchObject({ swagger: '2.0' });
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  const answer = await cluster.api.send('GET', '/openapi/v2', { accept });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toContain('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
});
