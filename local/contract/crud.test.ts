import { describe, expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const cluster = useCluster();
const configMap = (name: string, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more.metadata },
  data: more.data ?? { key: 'value' },
});
const create = (body: Json, query: Record<string, string> = {}): Promise<Json> =>
  cluster.api.ok('POST', cluster.core('configmaps'), { body, query });

describe('create', () => {
  test('answers 201 with the object, its identity filled in', async () => {
    const answer = await cluster.api.send('POST', cluster.core('configmaps'), { body: configMap('made') });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'made',
        namespace: cluster.namespace,
        uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        resourceVersion: expect.stringMatching(/^[0-9]+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
      data: { key: 'value' },
    });
  });

  test('a name that is taken is refused', async () => {
    await create(configMap('taken'));
    const status = await cluster.api.refused('POST', cluster.core('configmaps'), { body: configMap('taken') });
    expect(status).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'AlreadyExists',
      code: 409,
      message: 'configmaps "taken" already exists',
      details: { name: 'taken', kind: 'configmaps' },
    });
  });

  test('generateName makes different names', async () => {
    const make = (): Promise<Json> =>
      create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } });
    const names = [await make(), await make()].map((one) => one.metadata.name);
    for (const name of names) expect(name).toMatch(/^gen-[a-z0-9]{5}$/);
    expect(new Set(names).size).toBe(2);
  });

  test.each<[reason: string, metadata: Json, message: RegExp]>([
    ['a name that DNS does not take', { name: 'Not_Valid' }, /metadata\.name: Invalid value: "Not_Valid"/],
    ['no name', { name: '' }, /metadata\.name: Required value: name or generateName is required/],
    ['a label that is not one', { name: 'l', labels: { 'a b': 'c' } }, /metadata\.labels: Invalid value: "a b"/],
  ])('%s is refused as invalid', async (_reason, metadata, message) => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    const status = await cluster.api.refused('POST', cluster.core('configmaps'), { body });
    expect(status).toMatchObject({ reason: 'Invalid', code: 422, message: expect.stringMatching(message) });
    expect(status.details.causes.length).toBeGreaterThan(0);
  });

  test('another namespace in the body than in the path is a bad request', async () => {
    const body = configMap('elsewhere', { metadata: { namespace: 'default' } });
    expect(await cluster.api.refused('POST', cluster.core('configmaps'), { body })).toMatchObject({
      reason: 'BadRequest',
      code: 400,
    });
  });

  test('a body that is no JSON is a bad request', async () => {
    expect(await cluster.api.refused('POST', cluster.core('configmaps'), { body: '{"a"' })).toMatchObject({
      code: 400,
    });
  });

  test('a media type that nobody knows is not supported', async () => {
    const answer = await cluster.api.send('POST', cluster.core('configmaps'), {
      body: '<a/>',
      contentType: 'application/xml',
    });
    expect(answer.status).toBe(415);
  });

  test('YAML is taken as well', async () => {
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\ndata:\n  a: b\n';
    const made = await cluster.api.ok('POST', cluster.core('configmaps'), { body, contentType: 'application/yaml' });
    expect(made.data).toEqual({ a: 'b' });
  });

  test('a dry run says what would be and leaves nothing', async () => {
    const made = await create(configMap('dry'), { dryRun: 'All' });
    expect(made.metadata.uid).toBeDefined();
    expect((await cluster.api.send('GET', cluster.core('configmaps', 'dry'))).status).toBe(404);
  });

  test('strict field validation refuses unknown fields, the default drops them with a warning', async () => {
    const body = { ...configMap('strict'), colour: 'red' };
    const status = await cluster.api.refused('POST', cluster.core('configmaps'), {
      body,
      query: { fieldValidation: 'Strict' },
    });
    expect(status).toMatchObject({ code: 400, message: expect.stringContaining('unknown field "colour"') });
    const answer = await cluster.api.send('POST', cluster.core('configmaps'), { body });
    expect(answer.body.colour).toBeUndefined();
    expect(String(answer.headers['warning'])).toContain('unknown field');
  });

  test('the creator may not choose uid or creation time', async () => {
    const metadata = { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' };
    const made = await create(configMap('chosen', { metadata }));
    expect(made.metadata.uid).not.toBe('mine');
    expect(made.metadata.creationTimestamp).not.toBe('2001-01-01T00:00:00Z');
  });
});

describe('read', () => {
  test('what is not there is not found', async () => {
    expect(await cluster.api.refused('GET', cluster.core('configmaps', 'nobody'))).toMatchObject({
      reason: 'NotFound',
      code: 404,
      message: 'configmaps "nobody" not found',
      details: { name: 'nobody', kind: 'configmaps' },
    });
  });

  test('a list has a version of its own and items without kind', async () => {
    await create(configMap('listed'));
    const list = await cluster.api.ok('GET', cluster.core('configmaps'));
    expect(list).toMatchObject({
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
    });
    const listed = list.items.find((one: Json) => one.metadata.name === 'listed');
    expect(listed.kind).toBeUndefined();
  });

  test('a list comes in pages of one snapshot', async () => {
    for (const name of ['p1', 'p2', 'p3']) await create(configMap(name, { metadata: { labels: { page: 'yes' } } }));
    const query = { labelSelector: 'page=yes', limit: '2' };
    const first = await cluster.api.ok('GET', cluster.core('configmaps'), { query });
    expect(first.items).toHaveLength(2);
    const second = await cluster.api.ok('GET', cluster.core('configmaps'), {
      query: { ...query, continue: first.metadata.continue },
    });
    expect(second.items).toHaveLength(1);
    expect(second.metadata.continue ?? '').toBe('');
    const names = [...first.items, ...second.items].map((one: Json) => one.metadata.name);
    expect(names.sort()).toEqual(['p1', 'p2', 'p3']);
  });

  test('all namespaces at once', async () => {
    await create(configMap('everywhere'));
    const list = await cluster.api.ok('GET', '/api/v1/configmaps', {
      query: { fieldSelector: 'metadata.name=everywhere' },
    });
    expect(list.items.map((one: Json) => one.metadata.namespace)).toContain(cluster.namespace);
  });

  test('as a table, and as metadata only', async () => {
    await create(configMap('shaped'));
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const table = await cluster.api.ok('GET', cluster.core('configmaps', 'shaped'), { accept });
    expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(table.columnDefinitions.map((one: Json) => one.name)).toEqual(['Name', 'Data', 'Age']);
    expect(table.rows[0]).toMatchObject({
      cells: ['shaped', 1, expect.any(String)],
      object: { kind: 'PartialObjectMetadata' },
    });
    const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
    const metadata = await cluster.api.ok('GET', cluster.core('configmaps', 'shaped'), { accept: partial });
    expect(metadata).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'shaped' } });
    expect(metadata.data).toBeUndefined();
  });
});

describe('update', () => {
  const put = (body: Json, query: Record<string, string> = {}): ReturnType<typeof cluster.api.send> =>
    cluster.api.send('PUT', cluster.core('configmaps', body.metadata.name), { body, query });

  test('replaces the object and moves its version', async () => {
    const made = await create(configMap('replaced'));
    const answer = await put({ ...made, data: { other: 'x' } });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ other: 'x' });
    expect(Number(answer.body.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    expect(answer.body.metadata.uid).toBe(made.metadata.uid);
  });

  test('an old version is a conflict', async () => {
    const made = await create(configMap('raced'));
    await put({ ...made, data: { by: 'first' } });
    const answer = await put({ ...made, data: { by: 'second' } });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
    });
  });

  test('an update without any change moves nothing', async () => {
    const made = await create(configMap('same'));
    const answer = await put(made);
    expect(answer.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test('another uid is refused', async () => {
    const made = await create(configMap('other-uid'));
    const answer = await put({ ...made, metadata: { ...made.metadata, uid: '00000000-0000-4000-8000-000000000000' } });
    expect([409, 422]).toContain(answer.status);
  });

  test('what is not there cannot be replaced', async () => {
    expect((await put(configMap('ghost'))).status).toBe(404);
  });

  test('a ConfigMap that is immutable stays as it is', async () => {
    const made = await create({ ...configMap('fixed'), immutable: true });
    const answer = await put({ ...made, data: { key: 'other' } });
    expect(answer).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('field is immutable when `immutable` is set') },
    });
  });
});

describe('delete', () => {
  test('answers success and the object is gone', async () => {
    await create(configMap('short'));
    const status = await cluster.api.ok('DELETE', cluster.core('configmaps', 'short'));
    expect(status).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'short', kind: 'configmaps' } });
    expect((await cluster.api.send('GET', cluster.core('configmaps', 'short'))).status).toBe(404);
    expect((await cluster.api.send('DELETE', cluster.core('configmaps', 'short'))).status).toBe(404);
  });

  test('a precondition that does not hold is a conflict', async () => {
    const made = await create(configMap('precious'));
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: '00000000-0000-4000-8000-000000000000' },
    };
    expect(await cluster.api.refused('DELETE', cluster.core('configmaps', 'precious'), { body })).toMatchObject({
      code: 409,
    });
    const right = { ...body, preconditions: { uid: made.metadata.uid } };
    await cluster.api.ok('DELETE', cluster.core('configmaps', 'precious'), { body: right });
  });

  test('a collection goes by selector', async () => {
    for (const name of ['c1', 'c2']) await create(configMap(name, { metadata: { labels: { gone: 'yes' } } }));
    await create(configMap('c3'));
    await cluster.api.ok('DELETE', cluster.core('configmaps'), { query: { labelSelector: 'gone=yes' } });
    const { items } = await cluster.api.ok('GET', cluster.core('configmaps'));
    const names = items.map((one: Json) => one.metadata.name);
    expect(names).toContain('c3');
    expect(names).not.toContain('c1');
  });

  test('finalizers hold an object until somebody takes them off', async () => {
    await create(configMap('held', { metadata: { finalizers: ['contract.kappa.dev/hold'] } }));
    await cluster.api.ok('DELETE', cluster.core('configmaps', 'held'));
    const held = await cluster.api.ok('GET', cluster.core('configmaps', 'held'));
    expect(held.metadata.deletionTimestamp).toBeDefined();
    await cluster.api.ok('PUT', cluster.core('configmaps', 'held'), {
      body: { ...held, metadata: { ...held.metadata, finalizers: [] } },
    });
    await eventually(async () => {
      expect((await cluster.api.send('GET', cluster.core('configmaps', 'held'))).status).toBe(404);
    });
  });
});
