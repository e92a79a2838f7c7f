import { expect, test } from '@jest/globals';
import { lacksOf } from './lacks.ts';
import { reasonAgainst } from './needs.ts';

const zones = (...names: readonly string[]) => new Map(names.map((name) => [name, ['node']]));

test.each([
  ['the harness: nothing', { isOwn: true, zones: zones('zone-a', 'zone-b', 'zone-c') }, []],
  ['a given cluster in three zones: faults', { isOwn: false, zones: zones('a', 'b', 'c') }, ['faults', 'registry']],
  ['one without zones: all', { isOwn: false, zones: zones('') }, ['faults', 'registry', 'zones']],
])('what a cluster lacks: %s', (_what, cluster, lacked) => {
  expect(Object.keys(lacksOf(cluster))).toEqual(lacked);
});

test.each([
  ['nothing is lacking', 'S1: killed @faults', {}, null],
  ['it needs nothing', 'S2: rolled', { faults: 'not ours' }, null],
  ['it needs something else', 'spread @zones', { faults: 'not ours' }, null],
  ['it needs that', 'S1: killed @faults', { faults: 'not ours' }, 'not ours'],
])('a spec is left out or not: %s', (_why, title, lacks, reason) => {
  expect(reasonAgainst(title, lacks)).toBe(reason);
});
