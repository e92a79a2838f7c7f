import { describe, expect, test } from '@jest/globals';
import { type Answer, type Json, patchTypes } from './api.ts';
import { makeCrd, useCluster } from './cluster.ts';

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', default: 1 },
        text: { type: 'string' },
        nested: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
        env: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, value: { type: 'string' } },
          },
        },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        plain: { type: 'array', items: { type: 'string' } },
      },
    },
    status: { type: 'object', properties: { state: { type: 'string' } } },
  },
};
const crd = makeCrd('apply', schema, { version: { subresources: { status: {} } } });
const cluster = useCluster({ crds: [crd] });
const apiVersion = `${crd.spec.group}/v1`;

interface Applying {
  readonly manager?: string;
  readonly force?: boolean;
  readonly metadata?: Json;
  readonly status?: Json;
  readonly subresource?: string;
}

function apply(name: string, spec: Json, options: Applying = {}): Promise<Answer> {
  const { manager = 'one', force = false, metadata = {}, status, subresource } = options;
  const body = { apiVersion, kind: 'Widget', metadata: { name, ...metadata }, spec, ...(status && { status }) };
  const path = cluster.path(apiVersion, 'widgets', subresource === undefined ? name : `${name}/${subresource}`);
  const query = { fieldManager: manager, ...(force ? { force: 'true' } : {}) };
  return cluster.api.send('PATCH', path, { body, contentType: patchTypes.apply, query });
}

const read = (name: string): Promise<Json> => cluster.api.ok('GET', cluster.path(apiVersion, 'widgets', name));
const entryOf = (object: Json, manager: string): Json =>
  object.metadata.managedFields.find((entry: Json) => entry.manager === manager);

describe('applying', () => {
  test('makes what is not there, and says who owns which field', async () => {
    const { status, body } = await apply('first', {
      text: 't',
      env: [{ name: 'A', value: '1' }],
      tags: ['x'],
      plain: ['p'],
    });
    expect(status).toBe(201);
    expect(body.spec).toEqual({ size: 1, text: 't', env: [{ name: 'A', value: '1' }], tags: ['x'], plain: ['p'] });
    expect(body.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion,
        time: expect.any(String),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:text': {},
            'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            'f:tags': { 'v:"x"': {} },
            'f:plain': {},
          },
        },
      },
    ]);
  });

  test('the same again changes nothing', async () => {
    const first = await apply('again', { text: 't' });
    const second = await apply('again', { text: 't' });
    expect(second.status).toBe(200);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  });

  test('what is left out is removed, and falls back to its default', async () => {
    await apply('shrink', { size: 5, text: 't', env: [{ name: 'A' }, { name: 'B' }] });
    const { body } = await apply('shrink', { env: [{ name: 'B' }] });
    expect(body.spec).toEqual({ size: 1, env: [{ name: 'B' }] });
  });

  test('YAML is taken', async () => {
    const body = `apiVersion: ${apiVersion}\nkind: Widget\nmetadata:\n  name: yaml\nspec:\n  text: words\n`;
    const answer = await cluster.api.ok('PATCH', cluster.path(apiVersion, 'widgets', 'yaml'), {
      body,
      contentType: patchTypes.apply,
      query: { fieldManager: 'one' },
    });
    expect(answer.spec.text).toBe('words');
  });

  test('without a field manager it is a bad request', async () => {
    const answer = await cluster.api.send('PATCH', cluster.path(apiVersion, 'widgets', 'nobody'), {
      body: { apiVersion, kind: 'Widget', metadata: { name: 'nobody' } },
      contentType: patchTypes.apply,
    });
    expect([400, 422]).toContain(answer.status);
    expect(answer.body.message).toContain('fieldManager');
  });

  test('managed fields cannot be applied', async () => {
    const answer = await apply('managed', {}, { metadata: { managedFields: [{ manager: 'x' }] } });
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('managedFields must be nil') },
    });
  });

  test('a field that the schema does not know is refused', async () => {
    const { status, body } = await apply('unknown', { colour: 'red' });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.message).toContain('.spec.colour: field not declared in schema');
  });
});

describe('several managers', () => {
  test('another value for an owned field is a conflict that names owner and field', async () => {
    await apply('fought', { text: 'mine', env: [{ name: 'A', value: '1' }] });
    const { status, body } = await apply('fought', { text: 'yours' }, { manager: 'two' });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.text',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.text' }] },
    });
    const many = await apply('fought', { text: 'y', env: [{ name: 'A', value: '2' }] }, { manager: 'two' });
    expect(many.body.message).toMatch(/^Apply failed with 2 conflicts: conflicts with "one":\n- /);
    expect(many.body.message).toContain('.spec.env[name="A"].value');
  });

  test('force takes the field over', async () => {
    await apply('forced', { text: 'mine', size: 2 });
    const { body } = await apply('forced', { text: 'yours' }, { manager: 'two', force: true });
    expect(body.spec).toMatchObject({ text: 'yours', size: 2 });
    expect(entryOf(body, 'one').fieldsV1).toEqual({ 'f:spec': { 'f:size': {} } });
    expect(entryOf(body, 'two').fieldsV1).toEqual({ 'f:spec': { 'f:text': {} } });
  });

  test('the same value is shared, and stays until the last owner leaves', async () => {
    await apply('shared', { text: 't' });
    await apply('shared', { text: 't' }, { manager: 'two' });
    const once = await apply('shared', {});
    expect(once.body.spec.text).toBe('t');
    const twice = await apply('shared', {}, { manager: 'two' });
    expect(twice.body.spec.text).toBeUndefined();
  });

  test('items of a keyed list and of a set live side by side', async () => {
    await apply('beside', { env: [{ name: 'A' }], tags: ['x'] });
    const { body } = await apply('beside', { env: [{ name: 'B' }], tags: ['y'] }, { manager: 'two' });
    expect(body.spec.env).toEqual([{ name: 'A' }, { name: 'B' }]);
    expect(body.spec.tags.sort()).toEqual(['x', 'y']);
    const without = await apply('beside', {});
    expect(without.body.spec).toMatchObject({ env: [{ name: 'B' }], tags: ['y'] });
  });

  test('a plain list belongs to one manager as a whole', async () => {
    await apply('whole', { plain: ['a'] });
    expect((await apply('whole', { plain: ['a', 'b'] }, { manager: 'two' })).status).toBe(409);
  });

  test('an ordinary write takes what it changes, and applying over it conflicts', async () => {
    await apply('written', { text: 'applied', size: 3 });
    await cluster.api.ok('PATCH', cluster.path(apiVersion, 'widgets', 'written'), {
      body: { spec: { text: 'by hand' } },
      contentType: patchTypes.merge,
      query: { fieldManager: 'hand' },
    });
    const object = await read('written');
    expect(entryOf(object, 'hand')).toMatchObject({ operation: 'Update', fieldsV1: { 'f:spec': { 'f:text': {} } } });
    expect(entryOf(object, 'one').fieldsV1).toEqual({ 'f:spec': { 'f:size': {} } });
    const { status, body } = await apply('written', { text: 'applied', size: 3 });
    expect(status).toBe(409);
    expect(body.message).toContain('conflict with "hand" using');
  });
});

describe('the creator by POST', () => {
  test('owns all it wrote, under the name it gives', async () => {
    const made = await cluster.api.ok('POST', cluster.path(apiVersion, 'widgets'), {
      body: { apiVersion, kind: 'Widget', metadata: { name: 'posted', labels: { l: '1' } }, spec: { text: 't' } },
      query: { fieldManager: 'poster' },
    });
    expect(entryOf(made, 'poster')).toMatchObject({
      operation: 'Update',
      apiVersion,
      fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } }, 'f:spec': { '.': {}, 'f:text': {} } },
    });
  });

  test('an empty list forgets who owns what', async () => {
    await apply('forgotten', { text: 't' });
    const answer = await cluster.api.ok('PATCH', cluster.path(apiVersion, 'widgets', 'forgotten'), {
      body: { metadata: { managedFields: [{}] } },
      contentType: patchTypes.merge,
    });
    expect(answer.metadata.managedFields).toBeUndefined();
  });
});

describe('the status door', () => {
  test('takes the status and nothing else, under the name of the door', async () => {
    await apply('reported', { text: 't' });
    const { status, body } = await apply(
      'reported',
      { text: 'not taken' },
      { manager: 'controller', status: { state: 'Active' }, subresource: 'status', force: true },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ spec: { text: 't' }, status: { state: 'Active' } });
    expect(entryOf(body, 'controller')).toMatchObject({
      operation: 'Apply',
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:state': {} } },
    });
  });

  test('the main door takes no status', async () => {
    const { body } = await apply('unreported', { text: 't' }, { status: { state: 'Active' } });
    expect(body.status).toBeUndefined();
  });

  test('applying the object again keeps the status', async () => {
    await apply('kept', { text: 't' });
    await apply('kept', undefined, { manager: 'c', status: { state: 'Active' }, subresource: 'status' });
    const { body } = await apply('kept', { text: 'u' });
    expect(body.status).toEqual({ state: 'Active' });
  });
});

test('built-in kinds can be applied too', async () => {
  const send = (manager: string, data: Json): Promise<Answer> =>
    cluster.api.send('PATCH', cluster.core('configmaps', 'applied'), {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data },
      contentType: patchTypes.apply,
      query: { fieldManager: manager },
    });
  await send('one', { a: '1' });
  const { body } = await send('two', { b: '2' });
  expect(body.data).toEqual({ a: '1', b: '2' });
  expect((await send('one', {})).body.data).toEqual({ b: '2' });
});
