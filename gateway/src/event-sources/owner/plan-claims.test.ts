import { describe, expect, test } from '@jest/globals';

import type { ShardRow } from '../checkpoints/checkpoint-store.ts';
import { BEAT_MS, GIVE_UP_MS, planClaims, type ShardSituation, type Sighting, TAKE_OVER_MS } from './plan-claims.ts';

const row = (over: Partial<ShardRow> = {}): ShardRow => ({
  key: { mapping: 'm', shard: 's' },
  epoch: 3,
  owner: 'gateway-1.aaaaaaaa',
  beat: 7,
  isEnd: false,
  ...over,
});
const self = 'gateway-2.bbbbbbbb';
const mine: ShardSituation = { shard: 's', isMine: true, isReady: true, isHeld: false, row: null };
const seenAt = (sinceMs: number, over: Partial<Sighting> = {}): Sighting => ({ epoch: 3, beat: 7, sinceMs, ...over });

describe('a shard at 10 s', () => {
  test.each<
    [
      reason: string,
      shard: Partial<ShardSituation>,
      before: Sighting | null,
      want: { claim?: object; giveUp?: boolean; sinceMs?: number },
    ]
  >([
    ['nobody ever had it', {}, null, { claim: { seen: null } }],
    ['it was given back', { row: row({ owner: '' }) }, null, { claim: { seen: { epoch: 3, beat: 7 } } }],
    ['seen for the first time', { row: row() }, null, { sinceMs: 10_000 }],
    ['still for less than five seconds', { row: row() }, seenAt(5_001), { sinceMs: 5_001 }],
    ['still for five seconds', { row: row() }, seenAt(5_000), { claim: { seen: { epoch: 3, beat: 7 } } }],
    ['it has moved', { row: row({ beat: 8 }) }, seenAt(0), { sinceMs: 10_000 }],
    ['somebody else has taken it, and counts anew', { row: row({ epoch: 4 }) }, seenAt(0), { sinceMs: 10_000 }],
    [
      'claimed before, but the answer was lost',
      { row: row({ owner: self }) },
      null,
      { claim: { seen: { epoch: 3, beat: 7 } } },
    ],
    ['its parents come first', { isReady: false }, null, {}],
    ['it is read to its end', { row: row({ owner: '', isEnd: true }) }, null, {}],
    ['held here, and read to its end', { isHeld: true, row: row({ isEnd: true }) }, null, { giveUp: true }],
    ['held here', { isHeld: true, row: row() }, null, {}],
    ['held here, not any more by the ring', { isMine: false, isHeld: true, row: row() }, null, { giveUp: true }],
    ['of another gateway', { isMine: false, row: row() }, seenAt(0), {}],
    ['free, of another gateway', { isMine: false, row: row({ owner: '' }) }, null, {}],
  ])('%s', (_reason, shard, before, { claim, giveUp = false, sinceMs }) => {
    const sightings = new Map<string, Sighting>(before === null ? [] : [['s', before]]);
    const plan = planClaims([{ ...mine, ...shard }], { self, before: sightings, nowMs: 10_000 });
    expect(plan.claim).toEqual(claim === undefined ? [] : [{ shard: 's', ...claim }]);
    expect(plan.giveUp).toEqual(giveUp ? ['s'] : []);
    expect(plan.sightings.get('s')?.sinceMs).toBe(sinceMs);
  });
});

test('an owner stops before anybody may take its shard, with a second to spare', () => {
  expect(GIVE_UP_MS + 1_000).toBeLessThanOrEqual(TAKE_OVER_MS);
  expect(BEAT_MS * 2).toBeLessThan(GIVE_UP_MS); // one lost beat costs nothing
});

test('from the death of an owner to the next one: less than ten seconds', () => {
  const dead = row();
  let sightings: ReadonlyMap<string, Sighting> = new Map();
  let atMs = 1_000; // the ring has missed it
  for (; atMs < 10_000; atMs += 1_000) {
    const plan = planClaims([{ ...mine, row: dead }], { self, before: sightings, nowMs: atMs });
    if (plan.claim.length > 0) break;
    sightings = plan.sightings;
  }
  expect(atMs).toBeLessThanOrEqual(8_000);
});
