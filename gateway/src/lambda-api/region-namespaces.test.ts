import { beforeEach, expect, test } from '@jest/globals';
import { namespaces } from '@kappa/crds/client/kinds';

import { regionNamespaces } from './region-namespaces.ts';
import { FakeObjects, refusal } from './testing.ts';

const region = 'eu-west-1';
const name = 'default-eu-west-1';
const labels = { 'kappa.dev/region': region, 'kappa.dev/account-id': '000000000000' };

let kubernetes: FakeObjects;
let known: Set<string>;
let make: (region: string) => Promise<void>;
beforeEach(() => {
  kubernetes = new FakeObjects();
  known = new Set();
  make = regionNamespaces({ kubernetes, isThere: async (one) => known.has(one) });
});
const labelsNow = async (): Promise<unknown> => (await kubernetes.get(namespaces, null, name)).metadata.labels;

test('it is made where there is none, also by two at once, and again when it was deleted', async () => {
  await Promise.all([make(region), make(region)]);
  expect(await labelsNow()).toEqual(labels);
  await make(region);
  await kubernetes.delete(namespaces, '', name);
  await make(region);
  expect(await labelsNow()).toEqual(labels);
});

test('it is not made where there is one', async () => {
  known.add(region);
  await make(region);
  await expect(labelsNow()).rejects.toThrow('NotFound');
});

test.each<[reason: string, labels: Record<string, string>]>([
  ['no region', {}],
  ['another region', { ...labels, 'kappa.dev/region': 'eu-west-2' }],
  ['another account', { ...labels, 'kappa.dev/account-id': '111122223333' }],
  ['no account', { 'kappa.dev/region': region }],
])('one of its name that says %s is left alone', async (_reason, other) => {
  kubernetes.set('namespaces', '', name, { metadata: { labels: other } });
  await expect(make(region)).rejects.toThrow(
    `The Namespace ${name} is not region 'eu-west-1' of account 000000000000.`,
  );
  expect(await labelsNow()).toEqual(other);
});

test('forty are made, however many ask at once; those that could not be made do not count', async () => {
  kubernetes.fault = refusal(403, 'Forbidden');
  const ask = (first: number): Promise<PromiseSettledResult<void>[]> =>
    Promise.allSettled(Array.from({ length: 50 }, (_, n) => make(`eu-west-${first + n}`)));
  expect((await ask(100)).filter(({ status }) => status === 'fulfilled')).toHaveLength(0);
  kubernetes.fault = null;
  const ends = await ask(200);
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
  expect(ends.at(-1)).toMatchObject({ reason: { message: expect.stringContaining('40 regions apart') } });
  await make('eu-west-200');
});
