import { describe, expect, test } from '@jest/globals';
import { type ApplyResult, applyServerSide, conflictCauses, describeConflicts, trackUpdate } from './apply-patch.ts';
import { type JsonObject, valueAt } from './json.ts';
import { compileSchema } from './structural.ts';

const schema = compileSchema({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
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
        whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
      },
    },
    status: { type: 'object', properties: { state: { type: 'string' } } },
  },
});
const nowIso = '2026-01-02T03:04:05Z';
const config = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'a.dev/v1',
  kind: 'A',
  metadata: { name: 'x', namespace: 'd', ...metadata },
  spec,
});

function apply(
  live: JsonObject | null,
  manager: string,
  spec: JsonObject,
  more: { force?: boolean; metadata?: JsonObject } = {},
): ApplyResult {
  const applied = config(spec, more.metadata);
  return applyServerSide({ live, applied, manager, force: more.force ?? false, schema, nowIso, subresource: '' });
}

function applied(result: ApplyResult): JsonObject {
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
  return result.object;
}

const fieldsOf = (object: JsonObject, manager: string): unknown => {
  const entries = valueAt(object, 'metadata', 'managedFields') as { manager: string; fieldsV1: unknown }[] | undefined;
  return entries?.find((entry) => entry.manager === manager)?.fieldsV1;
};

describe('applyServerSide', () => {
  test('a first apply creates the object and owns what it names', () => {
    const object = applied(
      apply(
        null,
        'm',
        { size: 1, env: [{ name: 'A', value: '1' }], tags: ['t'], plain: ['p'], whole: { k: 'v' } },
        { metadata: { labels: { l: '1' } } },
      ),
    );
    expect(valueAt(object, 'metadata', 'managedFields')).toEqual([
      {
        manager: 'm',
        operation: 'Apply',
        apiVersion: 'a.dev/v1',
        time: nowIso,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:l': {} } },
          'f:spec': {
            'f:size': {},
            'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            'f:tags': { 'v:"t"': {} },
            'f:plain': {},
            'f:whole': {},
          },
        },
      },
    ]);
  });

  test('what the manager no longer applies is removed', () => {
    const first = applied(
      apply(null, 'm', { size: 1, text: 't', nested: { a: 'a' }, env: [{ name: 'A' }, { name: 'B' }] }),
    );
    const second = applied(apply(first, 'm', { size: 1, env: [{ name: 'B' }] }));
    expect(second['spec']).toEqual({ size: 1, env: [{ name: 'B' }] });
  });

  test('what somebody else also owns stays', () => {
    const first = applied(apply(null, 'm', { size: 1, text: 't', nested: { a: 'a' } }));
    const second = applied(apply(first, 'other', { text: 't', nested: { b: 'b' } }));
    const third = applied(apply(second, 'm', { size: 1 }));
    expect(third['spec']).toEqual({ size: 1, text: 't', nested: { b: 'b' } });
    expect(fieldsOf(third, 'm')).toEqual({ 'f:spec': { 'f:size': {} } });
  });

  test('what was there before the books were kept stays', () => {
    const first = applied(apply(config({ size: 3, text: 'by hand' }), 'm', { size: 3 }));
    expect(fieldsOf(first, 'before-first-apply')).toMatchObject({ 'f:spec': { 'f:size': {}, 'f:text': {} } });
    expect(applied(apply(first, 'm', {}))['spec']).toEqual({ size: 3, text: 'by hand' });
  });

  test('another value for an owned field is a conflict that names field and owner', () => {
    const first = applied(apply(null, 'm', { size: 1, env: [{ name: 'A', value: '1' }] }));
    const result = apply(first, 'other', { size: 2, env: [{ name: 'A', value: '2' }] });
    if (result.kind !== 'conflict') throw new Error('expected a conflict');
    expect(result.conflicts.map((one) => one.field).sort()).toEqual(['.spec.env[name="A"].value', '.spec.size']);
    expect(describeConflicts(result.conflicts.slice(0, 1))).toMatch(
      /^Apply failed with 1 conflict: conflict with "m": \.spec\./,
    );
    expect(conflictCauses(result.conflicts)[0]).toMatchObject({
      reason: 'FieldManagerConflict',
      message: 'conflict with "m"',
    });
  });

  test('the same value is shared ownership', () => {
    const first = applied(apply(null, 'm', { size: 1 }));
    const second = applied(apply(first, 'other', { size: 1 }));
    expect(fieldsOf(second, 'm')).toEqual({ 'f:spec': { 'f:size': {} } });
    expect(fieldsOf(second, 'other')).toEqual({ 'f:spec': { 'f:size': {} } });
  });

  test('force takes a field over', () => {
    const first = applied(apply(null, 'm', { size: 1, text: 't' }));
    const second = applied(apply(first, 'other', { size: 2 }, { force: true }));
    expect(valueAt(second, 'spec', 'size')).toBe(2);
    expect(fieldsOf(second, 'm')).toEqual({ 'f:spec': { 'f:text': {} } });
  });

  test('a conflict with an updater names its version', () => {
    const live = trackUpdate({
      before: null,
      after: config({ size: 1 }),
      manager: 'hand',
      nowIso,
      subresource: '',
      apiVersion: 'a.dev/v1',
      schema,
    });
    const result = apply(live, 'm', { size: 2 });
    expect(result.kind === 'conflict' ? describeConflicts(result.conflicts) : '').toBe(
      'Apply failed with 1 conflict: conflict with "hand" using a.dev/v1: .spec.size',
    );
  });

  test('an unchanged apply changes nothing, its time included', () => {
    const first = applied(apply(null, 'm', { size: 1, env: [{ name: 'A' }] }));
    const again = applyServerSide({
      live: first,
      applied: config({ size: 1, env: [{ name: 'A' }] }),
      manager: 'm',
      force: false,
      schema,
      nowIso: '2027-01-01T00:00:00Z',
      subresource: '',
    });
    expect(applied(again)).toEqual(first);
  });

  test('keyed items of several managers live together, in a stable order', () => {
    const first = applied(apply(null, 'm', { env: [{ name: 'A' }, { name: 'B' }] }));
    const second = applied(apply(first, 'other', { env: [{ name: 'C' }, { name: 'B' }] }));
    expect(valueAt(second, 'spec', 'env')).toEqual([{ name: 'A' }, { name: 'C' }, { name: 'B' }]);
  });

  test('an atomic map is replaced as a whole', () => {
    const first = applied(apply(null, 'm', { whole: { a: '1', b: '2' } }));
    expect(applied(apply(first, 'm', { whole: { a: '3' } }))['spec']).toEqual({ whole: { a: '3' } });
  });

  test('at the status door only the status counts', () => {
    const live = applied(apply(null, 'm', { size: 1 }));
    const patch = { ...config({ size: 9 }, { labels: { no: '1' } }), status: { state: 'Active' } };
    const object = applied(
      applyServerSide({ live, applied: patch, manager: 'c', force: true, schema, nowIso, subresource: 'status' }),
    );
    expect(object).toMatchObject({ spec: { size: 1 }, status: { state: 'Active' } });
    expect(valueAt(object, 'metadata', 'labels')).toBeUndefined();
    expect(fieldsOf(object, 'c')).toEqual({ 'f:status': { 'f:state': {} } });
  });

  test('what client-side apply left behind is taken over by kubectl without a conflict', () => {
    const key = 'kubectl.kubernetes.io/last-applied-configuration';
    const annotations = { [key]: JSON.stringify(config({ size: 1, text: 'same' })) };
    const after = config({ size: 1, text: 'by hand' }, { annotations });
    const live = trackUpdate({
      before: null,
      after,
      manager: 'kubectl-client-side-apply',
      nowIso,
      subresource: '',
      apiVersion: 'a.dev/v1',
      schema,
    });
    const object = applied(apply(live, 'kubectl', { size: 2 }));
    expect(valueAt(object, 'spec', 'size')).toBe(2);
    expect(JSON.parse(String(valueAt(object, 'metadata', 'annotations', key)))).toEqual(config({ size: 2 }));
    expect(apply(live, 'kubectl', { size: 2, text: 'mine' })).toMatchObject({
      kind: 'conflict',
      conflicts: [{ field: '.spec.text' }],
    });
    expect(apply(live, 'another', { size: 2 }).kind).toBe('conflict');
  });

  test.each<[reason: string, spec: JsonObject, want: string]>([
    ['an unknown field', { nope: 1 }, '.spec.nope: field not declared in schema'],
    ['an item without its key', { env: [{ value: 'x' }] }, 'omits key field "name"'],
    ['an item twice', { env: [{ name: 'A' }, { name: 'A' }] }, 'duplicate entries for key [name="A"]'],
  ])('%s does not fit', (_reason, spec, want) => {
    const result = apply(null, 'm', spec);
    expect(result).toMatchObject({ kind: 'invalid', message: expect.stringContaining(want) });
  });
});

describe('trackUpdate', () => {
  const update = (before: JsonObject | null, after: JsonObject, manager: string, subresource = ''): JsonObject =>
    trackUpdate({ before, after, manager, nowIso, subresource, apiVersion: 'a.dev/v1', schema });

  test('the creator owns everything it wrote, containers included', () => {
    const object = update(null, config({ size: 1, env: [{ name: 'A' }] }, { labels: { l: '1' } }), 'hand');
    expect(fieldsOf(object, 'hand')).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
      'f:spec': { '.': {}, 'f:size': {}, 'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {} } } },
    });
  });

  test('a writer takes what it changes and only that', () => {
    const first = applied(apply(null, 'm', { size: 1, text: 't' }));
    const second = update(first, { ...first, spec: { size: 2, text: 't' } }, 'hand');
    expect(fieldsOf(second, 'm')).toEqual({ 'f:spec': { 'f:text': {} } });
    expect(fieldsOf(second, 'hand')).toEqual({ 'f:spec': { 'f:size': {} } });
  });

  test('a removed field belongs to nobody', () => {
    const first = applied(apply(null, 'm', { size: 1, text: 't' }));
    expect(fieldsOf(update(first, { ...first, spec: { text: 't' } }, 'hand'), 'm')).toEqual({
      'f:spec': { 'f:text': {} },
    });
  });

  test('a write that changes nothing leaves the books alone', () => {
    const first = applied(apply(null, 'm', { size: 1 }));
    expect(update(first, first, 'hand')).toEqual(first);
  });

  test('an empty list forgets all owners', () => {
    const first = applied(apply(null, 'm', { size: 1 }));
    const metadata = { name: 'x', namespace: 'd', managedFields: [] };
    expect(fieldsOf(update(first, { ...first, metadata }, 'hand'), 'm')).toBeUndefined();
  });

  test('more than ten updaters are folded into one', () => {
    let object = config({ tags: ['t0'] });
    for (let index = 1; index <= 14; index++) {
      object = update(
        object,
        { ...object, spec: { tags: [...Array(index + 1).keys()].map((n) => `t${n}`) } },
        `w${index}`,
      );
    }
    const managers = valueAt(object, 'metadata', 'managedFields') as unknown[];
    expect(managers).toHaveLength(10);
    expect(fieldsOf(object, 'ancient-changes')).toBeDefined();
  });
});
