import { expect, test } from '@jest/globals';
import type { Provisioned } from '@kappa/crds/provisioned-shares';
import { countReady, provisionedEntries } from './provisioned.ts';

const aliases = [
  { alias: 'live', meaning: { version: '1', additional: { version: '2', weight: 0.25 } } },
  { alias: 'blue', meaning: { version: '2', additional: null } },
];
const versions = ['1', '2'].map((version) => ({ version, name: `f-v${version}` }));
const pod = (versionName: string, over: object = {}) => ({
  isReady: true,
  isTerminating: false,
  claim: { versionName },
  ...over,
});
const pods = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).flatMap(([name, count]) => Array.from({ length: count }, () => pod(name)));
const entry = (qualifier: string, executions: number): Provisioned => ({ qualifier, executions });

test('$LATEST, versions and aliases are entries alike; none of $LATEST is none', () => {
  const provisionedByQualifier = [{ qualifier: 'live', executions: 4, lastModified: '2026-11-22T00:00:00Z' }];
  expect(provisionedEntries({ provisioned: 2, perInstance: 1, provisionedByQualifier })).toEqual([
    entry('$LATEST', 2),
    entry('live', 4),
  ]);
  expect(provisionedEntries({ provisioned: 0, perInstance: 1 })).toEqual([]);
});

test.each<[reason: string, entries: Provisioned[], pods: ReturnType<typeof pod>[], want: number]>([
  ['none are wanted, however many there are', [], pods({ 'f-v1': 3 }), 0],
  ['as many as there are', [entry('1', 3)], pods({ 'f-v1': 2 }), 2],
  ['no more than are wanted', [entry('$LATEST', 2)], pods({ 'f-abc': 5 }), 2],
  ['of an alias by its weights', [entry('live', 4)], pods({ 'f-v1': 4 }), 3],
  ['one pod is not counted for two', [entry('live', 4), entry('blue', 2)], pods({ 'f-v1': 3, 'f-v2': 2 }), 5],
  ['an alias that is not there', [entry('gone', 2)], pods({ 'f-v1': 2 }), 0],
  ['those that are not ready', [entry('1', 2)], [pod('f-v1', { isReady: false }), pod('f-v1')], 1],
  ['those that are going', [entry('1', 2)], [pod('f-v1', { isTerminating: true })], 0],
])('%s', (_reason, entries, there, want) => {
  expect(countReady(entries, { aliases, versions, latestVersion: 'f-abc', pods: there })).toBe(want);
});
