import { expect, test } from '@jest/globals';
import { type CollectionPlan, type Listed, MAX_STEPS, planCollection, type Stock } from './plan.ts';

const blob = (name: string, modifiedMs: number): Listed => ({ sha256: name, sizeBytes: 1, modifiedMs });
const names = (plan: CollectionPlan) =>
  Object.fromEntries(Object.entries(plan).map(([step, blobs]) => [step, blobs.map(({ sha256 }: Listed) => sha256)]));
const nothing = { reinstate: [], retire: [], purge: [] };

test.each<[reason: string, stock: Partial<Stock>, want: object]>([
  ['nobody refers to it, and it is old', { blobs: [blob('a', 0)] }, { retire: ['a'] }],
  ['it was put a moment ago', { blobs: [blob('a', 901)] }, {}],
  ['it comes from the future', { blobs: [blob('a', 5_000)] }, {}],
  ['somebody refers to it', { blobs: [blob('used', 0)] }, {}],
  ['somebody refers to a retired one', { retired: [blob('used', 0)] }, { reinstate: ['used'] }],
  ['somebody refers to one that came back', { blobs: [blob('used', 0)], retired: [blob('used', 0)] }, {}],
  ['nobody, for long', { retired: [blob('a', 900)] }, { purge: ['a'] }],
  ['nobody, for a while', { retired: [blob('a', 901)] }, {}],
  ['it was put again since', { blobs: [blob('a', 0)], retired: [blob('a', 0)] }, { retire: ['a'] }],
  ['the oldest go first', { blobs: [blob('b', 2), blob('a', 1)] }, { retire: ['a', 'b'] }],
  [
    'there is no object at all: they may be about to be restored',
    { blobs: [blob('a', 0)], retired: [blob('b', 0)], references: { digests: new Set(), objects: 0 } },
    {},
  ],
])('planCollection: %s', (_reason, stock, want) => {
  const all = { blobs: [], retired: [], references: { digests: new Set(['used']), objects: 1 }, ...stock };
  expect(names(planCollection(all, 1_000, 100))).toEqual({ ...nothing, ...want });
});

test('a round is bounded', () => {
  const many = (of: string) => [...Array(MAX_STEPS + 1).keys()].map((n) => blob(`${of}${n}`, n));
  const references = { digests: new Set<string>(), objects: 1 };
  const plan = planCollection({ blobs: many('a'), retired: many('b'), references }, 1e9, 1);
  expect([plan.retire.length, plan.purge.length]).toEqual([MAX_STEPS, MAX_STEPS]);
});
