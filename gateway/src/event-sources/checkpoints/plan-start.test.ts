import { expect, test } from '@jest/globals';

import type { Position, Shard } from '../record.ts';
import { isReady, planStart, type ShardsKnown, type StartSettings } from './plan-start.ts';

const shard = (id: string, ...parents: string[]): Shard => ({ id, parents });
const known = (shards: readonly Shard[], ...ended: string[]): ShardsKnown => ({ shards, ended: new Set(ended) });
const latest: StartSettings = { startingPosition: 'LATEST', timestampMs: null, createdMs: 5_000 };

test.each<[reason: string, settings: Partial<StartSettings>, want: Position]>([
  ['LATEST is when the mapping was made', {}, { kind: 'since', ms: 5_000 }],
  ['TRIM_HORIZON', { startingPosition: 'TRIM_HORIZON' }, { kind: 'start' }],
  ['AT_TIMESTAMP', { startingPosition: 'AT_TIMESTAMP', timestampMs: 9 }, { kind: 'since', ms: 9 }],
])('where a shard begins: %s', (_reason, settings, want) => {
  expect(planStart({ ...latest, ...settings })).toEqual(want);
});

test.each<[reason: string, of: Shard, all: ShardsKnown, want: boolean]>([
  ['no parent', shard('a'), known([shard('a')]), true],
  ['its parent is not read to its end', shard('b', 'a'), known([shard('a'), shard('b', 'a')]), false],
  ['its parent is read', shard('b', 'a'), known([shard('a'), shard('b', 'a')], 'a'), true],
  ['a merge: one of two is read', shard('c', 'a', 'b'), known([shard('a'), shard('b')], 'a'), false],
  ['its parent is gone', shard('b', 'a'), known([shard('b', 'a')]), true],
])('may it be read: %s', (_reason, of, all, want) => {
  expect(isReady(of, all)).toBe(want);
});
