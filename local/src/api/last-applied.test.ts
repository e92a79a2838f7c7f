import { expect, test } from '@jest/globals';
import { areClientSide, renewLastApplied, valueAtField } from './last-applied.ts';
import { parseObject } from './object.ts';
import type { ApplyConflict } from './schema/apply-patch.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
const object = {
  spec: {
    list: [
      { name: 'a.b', value: 1 },
      { name: 'c]', value: 2 },
    ],
    set: ['x'],
    n: { m: 3 },
  },
};

test.each<[field: string, want: unknown]>([
  ['.spec.n.m', 3],
  ['.spec.list[name="a.b"].value', 1],
  ['.spec.list[name="c]"].value', 2],
  ['.spec.set[="x"]', 'x'],
  ['.spec.list[1].value', 2],
  ['.spec.none.at.all', undefined],
  ['.spec.list[name="z"].value', undefined],
])('the value at %s', (field, want) => {
  expect(valueAtField(object, field)).toEqual(want);
});

const conflict = (field: string): ApplyConflict => ({
  manager: 'kubectl-client-side-apply',
  operation: 'Update',
  apiVersion: 'v1',
  subresource: '',
  field,
});

function live(applied: unknown, size: number) {
  const metadata = {
    name: 'a',
    annotations: { [annotation]: typeof applied === 'string' ? applied : JSON.stringify(applied) },
  };
  return parseObject({ apiVersion: 'v1', kind: 'X', metadata, spec: { size } });
}

test.each<[reason: string, applied: unknown, size: number, want: boolean]>([
  ['a field as it was applied is kubectl’s own', { spec: { size: 2 } }, 2, true],
  ['a field that somebody changed since is not', { spec: { size: 2 } }, 3, false],
  ['a field that was not applied is not', { spec: {} }, 2, false],
  ['an annotation that is no JSON says nothing', '{', 2, false],
])('%s', (_reason, applied, size, want) => {
  expect(areClientSide([conflict('.spec.size')], live(applied, size))).toBe(want);
});

test('the annotation is renewed where there is one, and only there', () => {
  const before = live({ spec: { size: 1 } }, 1);
  const after = live({ spec: { size: 1 } }, 2);
  const applied = parseObject({ apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, spec: { size: 2 } });
  renewLastApplied(after, before, applied);
  expect(JSON.parse(after.metadata.annotations?.[annotation] ?? '')).toMatchObject({
    metadata: { name: 'a' },
    spec: { size: 2 },
  });
  const bare = parseObject({ apiVersion: 'v1', kind: 'X', metadata: { name: 'a' } });
  renewLastApplied(bare, null, applied);
  expect(bare.metadata.annotations).toBeUndefined();
});
