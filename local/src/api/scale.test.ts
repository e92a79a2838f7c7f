import { expect, test } from '@jest/globals';
import { parseObject } from './object.ts';
import { toScale, withScale } from './scale.ts';
import { codeOf } from './testing.ts';

const paths = {
  specReplicasPath: '.spec.concurrency.provisioned',
  statusReplicasPath: '.status.pods',
  labelSelectorPath: '.status.selector',
};
const metadata = { name: 'f', namespace: 'n', uid: 'u', resourceVersion: '7' };
const object = (spec: unknown, status: unknown = {}) =>
  parseObject({ apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata: { ...metadata }, spec, status });
const scale = (replicas: unknown) => ({ kind: 'Scale', apiVersion: 'autoscaling/v1', metadata, spec: { replicas } });

test('a scale shows wanted, actual and selector', () => {
  const shown = toScale(paths, object({ concurrency: { provisioned: 2 } }, { pods: 1, selector: 'a=b' }));
  expect(shown).toMatchObject({
    kind: 'Scale',
    metadata,
    spec: { replicas: 2 },
    status: { replicas: 1, selector: 'a=b' },
  });
});

test('what is not there counts as none', () => {
  expect(toScale(paths, object({}))).toMatchObject({ spec: { replicas: 0 }, status: { replicas: 0 } });
});

test('scaling makes the way to the field, keeps the rest and leaves the original', () => {
  const before = object({ runtime: 'x' });
  expect(withScale(paths, before, scale(3))).toMatchObject({
    metadata: { resourceVersion: '7' },
    spec: { runtime: 'x', concurrency: { provisioned: 3 } },
  });
  expect(before['spec']).toEqual({ runtime: 'x' });
});

test.each<[reason: string, scale: unknown, code: number]>([
  ['a negative number', scale(-1), 422],
  ['a fraction', scale(1.5), 422],
  ['a text', scale('3'), 422],
  ['another kind', { ...scale(1), kind: 'Pod' }, 400],
  ['nothing', null, 400],
])('%s is refused', (_reason, asked, code) => {
  expect(codeOf(() => withScale(paths, object({}), asked))).toBe(code);
});
