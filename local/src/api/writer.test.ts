import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from './object.ts';
import { ApiError } from './status.ts';
import { codeOf, configMap, makeCaller, makeWorld, type World, widget, widgetDefinition } from './testing.ts';

const merge = 'application/merge-patch+json';

function patch(world: World, plural: string, name: string, body: unknown, subresource = ''): KubeObject {
  const [resource = '', ...group] = plural.split('.');
  const target = world.target(group.join('.'), resource, name, { subresource });
  return world.patcher.patch(target, makeCaller(), merge, Buffer.from(JSON.stringify(body)), new URLSearchParams())
    .object;
}

function widgets(): World {
  const world = makeWorld();
  world.create('customresourcedefinitions.apiextensions.k8s.io', widgetDefinition());
  world.settle();
  return world;
}

describe('create', () => {
  test('fills in what only the server knows and defaults', () => {
    const made = widgets().create('widgets.test.dev', widget('w', {}, { status: { phase: 'mine' } }));
    expect(made).toMatchObject({
      metadata: { namespace: 'default', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { size: 1 },
    });
    expect(made.metadata.uid).not.toBe('');
    expect(made['status']).toBeUndefined();
  });

  test('a generated name keeps its prefix', () => {
    const made = makeWorld().create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { generateName: 'job-' },
    });
    expect(made.metadata.name).toMatch(/^job-.{5}$/);
  });

  test.each<[reason: string, object: Record<string, unknown>, code: number]>([
    ['a name that exists', configMap('taken'), 409],
    ['no name', configMap(''), 422],
    ['a name with capitals', configMap('Bad'), 422],
    ['another kind', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }, 400],
    ['another namespace', configMap('x', { metadata: { name: 'x', namespace: 'other' } }), 400],
    ['a label that is none', configMap('x', { metadata: { name: 'x', labels: { 'a b': 'c' } } }), 422],
    ['labels that are no strings', configMap('x', { metadata: { name: 'x', labels: { a: 1 } } }), 400],
    ['an unknown field', configMap('x', { colour: 'red' }), 400],
    ['a key with a slash', configMap('x', { data: { 'a/b': 'c' } }), 422],
  ])('%s is refused', (_reason, object, code) => {
    const world = makeWorld();
    world.create('configmaps', configMap('taken'));
    expect(codeOf(() => world.create('configmaps', object))).toBe(code);
  });

  test('dry run answers and stores nothing', () => {
    const world = makeWorld();
    const { version } = world.store;
    const made = world.writer.create(
      world.target('', 'configmaps', ''),
      makeCaller({ isDryRun: true }),
      configMap('dry'),
    );
    expect([made.metadata.name, world.get('configmaps', 'dry'), world.store.version]).toEqual([
      'dry',
      undefined,
      version,
    ]);
  });

  test('a missing namespace is not found, a terminating one forbids', () => {
    const world = makeWorld();
    const target = world.target('', 'configmaps', '', { namespace: 'nowhere' });
    expect(codeOf(() => world.writer.create(target, makeCaller(), configMap('x')))).toBe(404);
    world.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } });
    world.delete('namespaces', 'ending');
    const ending = world.target('', 'configmaps', '', { namespace: 'ending' });
    expect(codeOf(() => world.writer.create(ending, makeCaller(), configMap('x')))).toBe(403);
  });

  test('a problem of the schema names field and reason', () => {
    const world = widgets();
    try {
      world.create('widgets.test.dev', widget('w', { size: 11 }));
      throw new Error('was not refused');
    } catch (error) {
      expect(error instanceof ApiError && error.toStatus()).toMatchObject({
        code: 422,
        reason: 'Invalid',
        details: {
          name: 'w',
          group: 'test.dev',
          kind: 'Widget',
          causes: [{ reason: 'FieldValueInvalid', field: 'spec.size' }],
        },
      });
    }
  });

  test('an unknown field is dropped with a warning, or silently', () => {
    const world = widgets();
    const warn = makeCaller({ fieldValidation: 'Warn' });
    const target = world.target('test.dev', 'widgets', '');
    const made = world.writer.create(target, warn, widget('w', { shape: 'round' }));
    expect([made['spec'], warn.warnings]).toEqual([{ size: 1 }, ['unknown field "spec.shape"']]);
  });
});

describe('update', () => {
  test('the generation counts changes of spec, not of metadata or status', () => {
    const world = widgets();
    world.create('widgets.test.dev', widget('w'));
    expect(patch(world, 'widgets.test.dev', 'w', { metadata: { labels: { a: 'b' } } }).metadata.generation).toBe(1);
    expect(patch(world, 'widgets.test.dev', 'w', { status: { phase: 'On' } }, 'status').metadata.generation).toBe(1);
    expect(patch(world, 'widgets.test.dev', 'w', { spec: { size: 2 } }).metadata.generation).toBe(2);
  });

  test('the status door writes status only, the main door all but status', () => {
    const world = widgets();
    world.create('widgets.test.dev', widget('w'));
    expect(
      patch(world, 'widgets.test.dev', 'w', { spec: { size: 5 }, status: { phase: 'On' } }, 'status'),
    ).toMatchObject({ spec: { size: 1 }, status: { phase: 'On' } });
    expect(patch(world, 'widgets.test.dev', 'w', { spec: { size: 5 }, status: { phase: 'Off' } })).toMatchObject({
      spec: { size: 5 },
      status: { phase: 'On' },
    });
  });

  test('a write that changes nothing makes no version', () => {
    const world = widgets();
    world.create('widgets.test.dev', widget('w'));
    const first = patch(world, 'widgets.test.dev', 'w', { spec: { size: 2 } });
    world.clock.advance(5000);
    expect(patch(world, 'widgets.test.dev', 'w', { spec: { size: 2 } }).metadata.resourceVersion).toBe(
      first.metadata.resourceVersion,
    );
  });

  test.each<[reason: string, metadata: Record<string, unknown>, code: number]>([
    ['an old version', { resourceVersion: '1' }, 409],
    ['another uid', { uid: 'other', resourceVersion: '1' }, 409],
    ['no version where one is needed', {}, 422],
  ])('%s is refused', (_reason, metadata, code) => {
    const world = widgets();
    world.create('widgets.test.dev', widget('w'));
    const target = world.target('test.dev', 'widgets', 'w');
    expect(
      codeOf(() =>
        world.writer.update(target, makeCaller(), widget('w', {}, { metadata: { name: 'w', ...metadata } })),
      ),
    ).toBe(code);
  });

  test('what only the server writes stays', () => {
    const world = makeWorld();
    const made = world.create('configmaps', configMap('a'));
    const next = world.writer.update(
      world.target('', 'configmaps', 'a'),
      makeCaller(),
      configMap('a', { metadata: { name: 'a', creationTimestamp: '2000-01-01T00:00:00Z', generation: 7 } }),
    );
    expect([next.metadata.uid, next.metadata.creationTimestamp, next.metadata.generation]).toEqual([
      made.metadata.uid,
      made.metadata.creationTimestamp,
      undefined,
    ]);
  });

  test('no finalizer can be added to an object that is being deleted', () => {
    const world = makeWorld();
    world.create('configmaps', configMap('a', { metadata: { name: 'a', finalizers: ['test.dev/hold'] } }));
    world.delete('configmaps', 'a');
    expect(
      codeOf(() => patch(world, 'configmaps', 'a', { metadata: { finalizers: ['test.dev/hold', 'test.dev/more'] } })),
    ).toBe(422);
  });
});

describe('server-side apply', () => {
  const apply = (world: World, manager: string, body: unknown, isForced = false) =>
    world.patcher.patch(
      world.target('test.dev', 'widgets', 'w'),
      makeCaller({ manager, isForced }),
      'application/apply-patch+yaml',
      Buffer.from(JSON.stringify(body)),
      new URLSearchParams({ fieldManager: manager }),
    );

  test('makes the object, then merges, then removes what is applied no more', () => {
    const world = widgets();
    expect(apply(world, 'one', widget('w', { colour: 'red', size: 2 }))).toMatchObject({
      isNew: true,
      object: { spec: { colour: 'red' } },
    });
    const { object, isNew } = apply(world, 'one', widget('w', { size: 2 }));
    expect([isNew, object['spec']]).toEqual([false, { size: 2 }]);
  });

  test('a field of another manager is a conflict unless forced', () => {
    const world = widgets();
    apply(world, 'one', widget('w', { colour: 'red' }));
    expect(codeOf(() => apply(world, 'two', widget('w', { colour: 'blue' })))).toBe(409);
    expect(apply(world, 'two', widget('w', { colour: 'blue' }), true).object).toMatchObject({
      spec: { colour: 'blue' },
    });
  });

  test.each<[reason: string, body: unknown, code: number]>([
    ['an unknown field', widget('w', { shape: 'round' }), 400],
    ['managed fields', widget('w', {}, { metadata: { name: 'w', managedFields: [{ manager: 'x' }] } }), 400],
    ['another name', widget('v'), 400],
    ['a uid of nothing', widget('w', {}, { metadata: { name: 'w', uid: 'u' } }), 409],
  ])('%s is refused', (_reason, body, code) => {
    const world = widgets();
    expect(codeOf(() => apply(world, 'one', body))).toBe(code);
  });
});
