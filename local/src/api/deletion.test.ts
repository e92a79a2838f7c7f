import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from './object.ts';
import { codeOf, configMap, makeCaller, makeWorld, type World, widget, widgetDefinition } from './testing.ts';

const owned = (name: string, owner: KubeObject, more: Record<string, unknown> = {}) => {
  const { apiVersion, kind, metadata } = owner;
  return configMap(name, {
    metadata: { name, ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more }] },
  });
};

function drop(world: World, plural: string, name: string): void {
  const target = world.target('', plural, name);
  const body = Buffer.from('{"metadata":{"finalizers":null}}');
  world.patcher.patch(target, makeCaller(), 'application/merge-patch+json', body, new URLSearchParams());
}

describe('delete', () => {
  test('a finalizer holds the object until it goes', () => {
    const world = makeWorld();
    world.create('configmaps', configMap('a', { metadata: { name: 'a', finalizers: ['test.dev/hold'] } }));
    expect(world.delete('configmaps', 'a')).toMatchObject({
      object: { kind: 'ConfigMap', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
    });
    expect(world.get('configmaps', 'a')).toBeDefined();
    drop(world, 'configmaps', 'a');
    expect(world.get('configmaps', 'a')).toBeUndefined();
  });

  test('what is gone at once answers with a Status that names it', () => {
    const world = makeWorld();
    const { uid } = world.create('configmaps', configMap('a')).metadata;
    expect(world.delete('configmaps', 'a')).toMatchObject({
      kind: 'status',
      status: {
        kind: 'Status',
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid },
      },
    });
  });

  test.each<[reason: string, options: Record<string, unknown>, code: number]>([
    ['another uid', { uid: 'other' }, 409],
    ['another version', { resourceVersion: '1' }, 409],
  ])('%s in the preconditions is refused', (_reason, options, code) => {
    const world = makeWorld();
    world.create('configmaps', configMap('a'));
    expect(codeOf(() => world.delete('configmaps', 'a', options))).toBe(code);
  });

  test('dry run leaves everything', () => {
    const world = makeWorld();
    world.create('configmaps', configMap('a'));
    world.delete('configmaps', 'a', { isDryRun: true });
    expect(world.get('configmaps', 'a')?.metadata.deletionTimestamp).toBeUndefined();
  });

  const pod = (more: Record<string, unknown> = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }], ...more },
  });

  test('a pod without a node goes at once, one on a node has its grace', () => {
    const world = makeWorld();
    world.create('pods', pod());
    world.delete('pods', 'p');
    expect(world.get('pods', 'p')).toBeUndefined();
    world.create('pods', pod({ nodeName: 'n', terminationGracePeriodSeconds: 5 }));
    world.delete('pods', 'p');
    expect(world.get('pods', 'p')?.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 5,
    });
    world.delete('pods', 'p', { gracePeriodSeconds: 60 });
    expect(world.get('pods', 'p')?.metadata.deletionGracePeriodSeconds).toBe(5);
    world.delete('pods', 'p', { gracePeriodSeconds: 0 });
    expect(world.get('pods', 'p')).toBeUndefined();
  });
});

describe('owner references', () => {
  test('dependents go when their last owner goes', () => {
    const world = makeWorld();
    const owner = world.create('configmaps', configMap('owner'));
    world.create('configmaps', owned('dependent', owner));
    world.settle();
    world.delete('configmaps', 'owner');
    world.settle();
    expect([world.get('configmaps', 'dependent'), world.errors]).toEqual([undefined, []]);
  });

  test('a dependent with a living owner stays and loses the dead reference', () => {
    const world = makeWorld();
    const [one, two] = [world.create('configmaps', configMap('one')), world.create('configmaps', configMap('two'))];
    const both = owned('dependent', one);
    const references = [one, two].map(({ apiVersion, kind, metadata: { name, uid } }) => ({
      apiVersion,
      kind,
      name,
      uid,
    }));
    world.create('configmaps', { ...both, metadata: { name: 'dependent', ownerReferences: references } });
    world.delete('configmaps', 'one');
    world.settle();
    expect(world.get('configmaps', 'dependent')?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['two']);
  });

  test('an object whose owner never was is deleted', () => {
    const world = makeWorld();
    const ghost = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ghost', uid: 'nobody', resourceVersion: '', creationTimestamp: '' },
    };
    world.create('configmaps', owned('dependent', ghost));
    world.settle();
    expect(world.get('configmaps', 'dependent')).toBeUndefined();
  });

  test('an owner of a kind that is not served here keeps its dependents', () => {
    const world = makeWorld();
    const foreign = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', uid: 'x', resourceVersion: '', creationTimestamp: '' },
    };
    world.create('configmaps', owned('dependent', foreign));
    world.settle();
    expect(world.get('configmaps', 'dependent')).toBeDefined();
  });

  test('orphan: the dependents stay, without the reference', () => {
    const world = makeWorld();
    const owner = world.create('configmaps', configMap('owner'));
    world.create('configmaps', owned('dependent', owner));
    world.delete('configmaps', 'owner', { propagation: 'Orphan' });
    world.settle();
    expect(world.get('configmaps', 'owner')).toBeUndefined();
    expect(world.get('configmaps', 'dependent')?.metadata.ownerReferences).toBeUndefined();
  });

  test('foreground: the owner waits for dependents that block it', () => {
    const world = makeWorld();
    const owner = world.create('configmaps', configMap('owner'));
    const dependent = owned('dependent', owner, { blockOwnerDeletion: true });
    world.create('configmaps', {
      ...dependent,
      metadata: { ...Object(dependent['metadata']), finalizers: ['test.dev/hold'] },
    });
    world.delete('configmaps', 'owner', { propagation: 'Foreground' });
    world.settle();
    expect(world.get('configmaps', 'owner')?.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(world.get('configmaps', 'dependent')?.metadata.deletionTimestamp).toBeDefined();
    drop(world, 'configmaps', 'dependent');
    world.settle();
    expect([world.get('configmaps', 'owner'), world.get('configmaps', 'dependent')]).toEqual([undefined, undefined]);
  });
});

describe('namespaces', () => {
  const make = (world: World) => {
    world.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    world.settle();
  };

  test('each has a default service account, also after it was deleted', () => {
    const world = makeWorld();
    make(world);
    expect(world.store.get('serviceaccounts', 'team', 'default')).toBeDefined();
    world.delete('serviceaccounts', 'default');
    world.settle();
    expect(world.store.get('serviceaccounts', 'default', 'default')).toBeDefined();
  });

  test('deleting one deletes its contents first', () => {
    const world = makeWorld();
    make(world);
    const target = world.target('', 'configmaps', '', { namespace: 'team' });
    world.writer.create(
      target,
      makeCaller(),
      configMap('held', { metadata: { name: 'held', finalizers: ['test.dev/hold'] } }),
    );
    expect(world.delete('namespaces', 'team')).toMatchObject({ object: { status: { phase: 'Terminating' } } });
    world.settle();
    expect(world.get('namespaces', 'team')).toBeDefined();
    const held = world.target('', 'configmaps', 'held', { namespace: 'team' });
    world.patcher.patch(
      held,
      makeCaller(),
      'application/merge-patch+json',
      Buffer.from('{"metadata":{"finalizers":[]}}'),
      new URLSearchParams(),
    );
    world.settle();
    expect([world.get('namespaces', 'team'), [...world.store.list('serviceaccounts', 'team')], world.errors]).toEqual([
      undefined,
      [],
      [],
    ]);
  });

  test('the standard ones stay', () => {
    expect(codeOf(() => makeWorld().delete('namespaces', 'kube-system'))).toBe(403);
  });
});

describe('custom resource definitions', () => {
  const crds = 'customresourcedefinitions.apiextensions.k8s.io';

  test('one is established and served at once', () => {
    const world = makeWorld();
    world.create(crds, widgetDefinition());
    world.settle();
    expect(world.get(crds, 'widgets.test.dev')?.['status']).toMatchObject({
      storedVersions: ['v1'],
      acceptedNames: { kind: 'Widget', listKind: 'WidgetList', singular: 'widget' },
      conditions: [
        { type: 'NamesAccepted', status: 'True' },
        { type: 'Established', status: 'True' },
      ],
    });
    expect(world.create('widgets.test.dev', widget('w'))).toMatchObject({ spec: { size: 1 } });
  });

  test('deleting one deletes its objects and ends the serving', () => {
    const world = makeWorld();
    world.create(crds, widgetDefinition());
    world.settle();
    world.create('widgets.test.dev', widget('w'));
    world.delete(crds, 'widgets.test.dev');
    world.settle();
    expect([
      world.get(crds, 'widgets.test.dev'),
      world.registry.find('test.dev', 'v1', 'widgets'),
      [...world.store.list('test.dev/widgets', null)],
    ]).toEqual([undefined, undefined, []]);
  });

  test('a kind that another one has is not accepted', () => {
    const world = makeWorld();
    world.create(crds, widgetDefinition());
    world.settle();
    const second = widgetDefinition();
    const spec = { ...Object(second['spec']), names: { plural: 'gadgets', kind: 'Widget' } };
    world.create(crds, { ...second, metadata: { name: 'gadgets.test.dev' }, spec });
    world.settle();
    expect(world.get(crds, 'gadgets.test.dev')?.['status']).toMatchObject({
      conditions: [
        { type: 'NamesAccepted', status: 'False' },
        { type: 'Established', status: 'False' },
      ],
    });
    expect(world.registry.find('test.dev', 'v1', 'gadgets')).toBeUndefined();
  });

  test('one whose name does not fit its names is refused', () => {
    expect(
      codeOf(() => makeWorld().create(crds, { ...widgetDefinition(), metadata: { name: 'other.test.dev' } })),
    ).toBe(422);
  });
});

describe('versions of a custom resource', () => {
  const crds = 'customresourcedefinitions.apiextensions.k8s.io';
  const twoVersions = () => {
    const definition = widgetDefinition();
    const spec = Object(definition['spec']);
    return {
      ...definition,
      spec: { ...spec, versions: [...spec.versions, { ...spec.versions[0], name: 'v2', storage: false }] },
    };
  };

  test('each shows the same objects under its own apiVersion', () => {
    const world = makeWorld();
    world.create(crds, twoVersions());
    world.settle();
    const type = world.registry.find('test.dev', 'v2', 'widgets');
    if (type === undefined) throw new Error('v2 is not served');
    const target = { type, namespace: 'default', name: '', subresource: '' };
    const made = world.writer.create(target, makeCaller(), { ...widget('w'), apiVersion: 'test.dev/v2' });
    expect([made.apiVersion, world.get('widgets.test.dev', 'w')?.apiVersion]).toEqual(['test.dev/v2', 'test.dev/v1']);
  });

  test('a changed schema counts from then on', () => {
    const world = makeWorld();
    world.create(crds, widgetDefinition());
    world.settle();
    const target = world.target('apiextensions.k8s.io', 'customresourcedefinitions', 'widgets.test.dev');
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum';
    const patch = Buffer.from(JSON.stringify([{ op: 'replace', path, value: 20 }]));
    world.patcher.patch(target, makeCaller(), 'application/json-patch+json', patch, new URLSearchParams());
    world.settle();
    expect(world.create('widgets.test.dev', widget('w', { size: 20 }))['spec']).toEqual({ size: 20 });
  });
});
