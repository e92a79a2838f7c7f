import { expect, test } from '@jest/globals';
import { listPage } from './lister.ts';
import { codeOf, configMap, makeCaller, makeWorld } from './testing.ts';

const names = (page: ReturnType<typeof listPage>): string[] => page.objects.map(({ metadata }) => metadata.name);

test('pages show one moment, whatever happens between them', () => {
  const world = makeWorld();
  for (const name of ['a', 'b', 'c', 'd']) world.create('configmaps', configMap(name));
  const target = world.target('', 'configmaps', '');
  const first = listPage(world.store, target, new URLSearchParams({ limit: '2' }));
  expect([names(first), first.remaining]).toEqual([['a', 'b'], 2]);
  world.delete('configmaps', 'c');
  world.create('configmaps', configMap('bb'));
  world.patcher.patch(
    world.target('', 'configmaps', 'd'),
    makeCaller(),
    'application/merge-patch+json',
    Buffer.from('{"data":{"x":"y"}}'),
    new URLSearchParams(),
  );
  const second = listPage(world.store, target, new URLSearchParams({ limit: '2', continue: first.continue }));
  expect([names(second), second.continue, second.resourceVersion]).toEqual([['c', 'd'], '', first.resourceVersion]);
  expect(second.objects[1]?.['data']).toBeUndefined();
});

test('a list of an exact version shows that version', () => {
  const world = makeWorld();
  const version = world.create('configmaps', configMap('a')).metadata.resourceVersion;
  world.create('configmaps', configMap('b'));
  const target = world.target('', 'configmaps', '');
  const query = new URLSearchParams({ resourceVersion: version, resourceVersionMatch: 'Exact' });
  expect(names(listPage(world.store, target, query))).toEqual(['a']);
});

test.each<[reason: string, query: Record<string, string>, code: number]>([
  ['a version that is no number', { resourceVersion: 'x' }, 400],
  ['a version of the future', { resourceVersion: '999999' }, 504],
  ['a version that is forgotten', { resourceVersion: '1', resourceVersionMatch: 'Exact' }, 410],
  ['a match without a version', { resourceVersionMatch: 'Exact' }, 400],
  ['exactly version 0', { resourceVersion: '0', resourceVersionMatch: 'Exact' }, 400],
  ['a continue token that is none', { continue: 'bm9uc2Vuc2U' }, 400],
  ['a negative limit', { limit: '-1' }, 400],
])('%s is refused', (_reason, query, code) => {
  const world = makeWorld();
  world.create('configmaps', configMap('a'));
  world.store.forgetHistory();
  world.create('configmaps', configMap('b'));
  expect(codeOf(() => listPage(world.store, world.target('', 'configmaps', ''), new URLSearchParams(query)))).toBe(
    code,
  );
});
