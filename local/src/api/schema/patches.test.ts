import { describe, expect, test } from '@jest/globals';
import { jsonPatch, mergePatch, PatchError } from './patches.ts';
import { strategicMergePatch } from './strategic-merge.ts';
import { compileSchema } from './structural.ts';

const before = { a: { b: [1, 2] }, 'x/y': 1 };

describe('jsonPatch', () => {
  test.each<[reason: string, patch: unknown, want: unknown]>([
    ['add appends with -', [{ op: 'add', path: '/a/b/-', value: 3 }], { a: { b: [1, 2, 3] }, 'x/y': 1 }],
    ['remove', [{ op: 'remove', path: '/a/b/0' }], { a: { b: [2] }, 'x/y': 1 }],
    ['replace with an escaped path', [{ op: 'replace', path: '/x~1y', value: 2 }], { a: { b: [1, 2] }, 'x/y': 2 }],
    ['move', [{ op: 'move', from: '/x~1y', path: '/z' }], { a: { b: [1, 2] }, z: 1 }],
    ['copy', [{ op: 'copy', from: '/a/b/1', path: '/z' }], { a: { b: [1, 2] }, 'x/y': 1, z: 2 }],
    ['test that holds', [{ op: 'test', path: '/a/b', value: [1, 2] }], before],
    ['the whole document', [{ op: 'replace', path: '', value: { n: 1 } }], { n: 1 }],
  ])('%s', (_reason, patch, want) => {
    expect(jsonPatch(before, patch)).toEqual(want);
  });

  test.each<[reason: string, patch: unknown, code: number]>([
    ['a test that does not hold', [{ op: 'test', path: '/a/b/0', value: 2 }], 422],
    ['a path that is not there', [{ op: 'remove', path: '/nope' }], 422],
    ['an unknown operation', [{ op: 'frob', path: '/a' }], 400],
    ['no list', { op: 'add' }, 400],
    ['no value', [{ op: 'add', path: '/c' }], 422],
    ['the prototype', [{ op: 'add', path: '/__proto__/x', value: 1 }], 422],
  ])('refuses %s', (_reason, patch, code) => {
    expect(() => jsonPatch(before, patch)).toThrow(PatchError);
    expect(() => jsonPatch(before, patch)).toThrow(expect.objectContaining({ code }));
  });

  test('leaves the original alone', () => {
    jsonPatch(before, [{ op: 'add', path: '/a/b/-', value: 3 }]);
    expect(before).toEqual({ a: { b: [1, 2] }, 'x/y': 1 });
  });
});

describe('mergePatch', () => {
  test.each<[reason: string, patch: unknown, want: unknown]>([
    ['null removes', { a: null }, { 'x/y': 1 }],
    ['objects merge', { a: { c: 1 } }, { a: { b: [1, 2], c: 1 }, 'x/y': 1 }],
    ['lists replace', { a: { b: [9] } }, { a: { b: [9] }, 'x/y': 1 }],
    ['nulls inside a new object vanish', { n: { x: null, y: 1 } }, { a: { b: [1, 2] }, 'x/y': 1, n: { y: 1 } }],
    ['a scalar gives way to an object', { 'x/y': { z: 1 } }, { a: { b: [1, 2] }, 'x/y': { z: 1 } }],
  ])('%s', (_reason, patch, want) => {
    expect(mergePatch(before, patch)).toEqual(want);
  });

  test('a patch that is no object is refused', () => {
    expect(() => mergePatch(before, [])).toThrow(PatchError);
  });
});

describe('strategicMergePatch', () => {
  const schema = compileSchema({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: {
          containers: {
            type: 'array',
            'x-kubernetes-patch-merge-key': 'name',
            'x-kubernetes-patch-strategy': 'merge',
            items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    },
  });
  const pod = {
    metadata: { finalizers: ['a', 'b'], labels: { k: 'v' } },
    spec: {
      containers: [
        { name: 'one', image: 'i', args: ['x'] },
        { name: 'two', image: 'j' },
      ],
      strategy: { type: 'R', keep: 1 },
    },
  };
  const spec = (containers: unknown) => ({ ...pod, spec: { ...pod.spec, containers } });
  const [one, two] = pod.spec.containers;

  test.each<[reason: string, patch: unknown, want: unknown]>([
    [
      'items merge by key',
      { spec: { containers: [{ name: 'two', image: 'n' }] } },
      spec([one, { name: 'two', image: 'n' }]),
    ],
    ['a new item is appended', { spec: { containers: [{ name: 'three' }] } }, spec([one, two, { name: 'three' }])],
    ['$patch delete removes an item', { spec: { containers: [{ name: 'one', $patch: 'delete' }] } }, spec([two])],
    [
      '$patch replace replaces a list',
      { spec: { containers: [{ $patch: 'replace' }, { name: 'n' }] } },
      spec([{ name: 'n' }]),
    ],
    [
      'plain lists are replaced',
      { spec: { containers: [{ name: 'one', args: ['y'] }] } },
      spec([{ ...one, args: ['y'] }, two]),
    ],
    [
      '$setElementOrder sorts',
      { spec: { '$setElementOrder/containers': [{ name: 'two' }, { name: 'one' }] } },
      spec([two, one]),
    ],
    [
      '$retainKeys drops the others',
      { spec: { strategy: { $retainKeys: ['type'], type: 'S' } } },
      { ...pod, spec: { ...pod.spec, strategy: { type: 'S' } } },
    ],
    [
      '$patch replace replaces a map',
      { metadata: { labels: { $patch: 'replace', n: 'm' } } },
      { ...pod, metadata: { ...pod.metadata, labels: { n: 'm' } } },
    ],
    [
      'lists of words merge as sets',
      { metadata: { finalizers: ['b', 'c'] } },
      { ...pod, metadata: { ...pod.metadata, finalizers: ['a', 'b', 'c'] } },
    ],
    [
      '$deleteFromPrimitiveList',
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { ...pod, metadata: { ...pod.metadata, finalizers: ['b'] } },
    ],
    ['null removes', { metadata: { labels: { k: null } } }, { ...pod, metadata: { ...pod.metadata, labels: {} } }],
  ])('%s', (_reason, patch, want) => {
    expect(strategicMergePatch(schema, pod, patch)).toEqual(want);
  });

  test('an item without its key is refused', () => {
    expect(() => strategicMergePatch(schema, pod, { spec: { containers: [{ image: 'x' }] } })).toThrow(
      'merge key: name',
    );
  });
});

describe('the examples of RFC 7386', () => {
  test.each<[original: string, patch: string, want: string]>([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s with %s', (original, patch, want) => {
    expect(mergePatch(JSON.parse(original), JSON.parse(patch))).toEqual(JSON.parse(want));
  });
});
