import { beforeEach, describe, expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import { Objects } from './objects.ts';
import { FakeObjects, functionSpec, refusal } from './testing.ts';

const place = { namespace: 'default', name: 'f' };
let kubernetes: FakeObjects;
let objects: Objects;
let pauses: number[];
beforeEach(() => {
  pauses = [];
  kubernetes = new FakeObjects();
  kubernetes.set('functions', 'default', 'f', { spec: { ...functionSpec, unknownField: 'kept' } });
  objects = new Objects({ kubernetes, sleep: async (ms) => void pauses.push(ms), random: () => 0.5 });
});

const tagged = (key: string) => (fn: FunctionObject) => ({
  ...fn,
  spec: { ...fn.spec, tags: { ...fn.spec.tags, [key]: key } },
});

describe('a change', () => {
  test('is made of what another writer left, and keeps fields that nobody here knows', async () => {
    let isFirst = true;
    kubernetes.beforeReplace = () => {
      if (isFirst)
        kubernetes.set('functions', 'default', 'f', {
          spec: { ...functionSpec, unknownField: 'kept', tags: { other: 'x' } },
        });
      isFirst = false;
    };
    const changed = await objects.change(functions, place, tagged('mine'));
    expect(changed?.spec).toMatchObject({ tags: { other: 'x', mine: 'mine' }, unknownField: 'kept' });
    expect(pauses).toHaveLength(1);
  });

  test('that changes nothing is not written', async () => {
    kubernetes.beforeReplace = () => {
      throw new Error('written');
    };
    expect(await objects.change(functions, place, (fn) => fn)).toMatchObject({ metadata: { generation: 1 } });
  });

  test('that always comes second is given up with 409', async () => {
    let n = 0;
    kubernetes.beforeReplace = () => {
      n += 1;
      kubernetes.set('functions', 'default', 'f', { spec: { ...functionSpec, description: `${n}` } });
    };
    await expect(objects.change(functions, place, tagged('mine'))).rejects.toMatchObject({
      code: 'ResourceConflictException',
      status: 409,
    });
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100);
  });

  test('of nothing is null', async () => {
    expect(await objects.change(functions, { ...place, name: 'nobody' }, tagged('mine'))).toBeNull();
  });
});

test.each([
  [
    422,
    'PUT /x: 422 Invalid: Function.kappa.dev "f" is invalid: spec.handler: too long',
    400,
    'spec.handler: too long',
  ],
  [503, 'away', 500, 'The Kubernetes API does not answer at the moment. Nothing is known to have changed.'],
  [0, 'no answer', 500, 'The Kubernetes API does not answer at the moment. Nothing is known to have changed.'],
  [403, 'secret names', 500, 'The Kubernetes API refused a request of the gateway.'],
])('%i of the API server is told truthfully', async (code, text, status, message) => {
  kubernetes.fault = refusal(code, 'Reason', text);
  await expect(objects.find(functions, 'default', 'f')).rejects.toMatchObject({ status, message });
  await expect(objects.page(functions, { limit: 5 })).rejects.toMatchObject({ status, message });
});

test('one that is there is not created again', async () => {
  const object = { metadata: place, spec: (await objects.find(functions, 'default', 'f'))?.spec } as FunctionObject;
  expect(await objects.create(functions, object)).toBeNull();
});
