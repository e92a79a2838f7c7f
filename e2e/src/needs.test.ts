import { expect, test } from '@jest/globals';
import { lacksOf } from './lacks.ts';
import { needing } from './needs.ts';

const zones = (...names: readonly string[]) => new Map(names.map((name) => [name, ['node']]));

test.each([
  ['the harness: nothing', { isOwn: true, zones: zones('zone-a', 'zone-b', 'zone-c') }, []],
  ['a given cluster in three zones: faults', { isOwn: false, zones: zones('a', 'b', 'c') }, ['faults']],
  ['one without zones: both', { isOwn: false, zones: zones('') }, ['faults', 'zones']],
])('what a cluster lacks: %s', (_what, cluster, lacked) => {
  expect(Object.keys(lacksOf(cluster))).toEqual(lacked);
});

test('where nothing is lacking, a test is a test', () => {
  expect(needing('faults', {})).toBe(test);
  expect(needing('faults', { zones: 'the cluster has 1 zones' })).toBe(test);
});
