import { describe, expect, test } from '@jest/globals';
import {
  type ClaimNeed,
  chooseZone,
  claimsWorthMaking,
  initPauseMs,
  type Pace,
  planAdmission,
  planClaims,
  planExpiry,
  podsWorthStarting,
  servedSooner,
} from './plan.ts';
import { nextSlotState, noSlots, runningIn, type SlotCounts, type SlotEvent, type SlotState } from './slot.ts';

const limits = { accountConcurrency: 1000, minUnreservedConcurrency: 100 };
const seen = { cap: null, functionOutstanding: 0, accountOutstanding: 0, accountReserved: 0 };

test.each<[reason: string, overrides: Partial<Parameters<typeof planAdmission>[0]>, want: string | null]>([
  ['an unreserved function may use the whole account', { accountOutstanding: 999 }, null],
  ['but not more', { accountOutstanding: 1000 }, 'ConcurrentInvocationLimitExceeded'],
  [
    'what others have reserved is not its own',
    { accountOutstanding: 700, accountReserved: 300 },
    'ConcurrentInvocationLimitExceeded',
  ],
  ['a hundred are always left, however much is reserved', { accountOutstanding: 99, accountReserved: 5000 }, null],
  [
    'a reserved function does not care for the account',
    { cap: 5, functionOutstanding: 4, accountOutstanding: 5000 },
    null,
  ],
  ['its own cap is hard', { cap: 5, functionOutstanding: 5 }, 'ReservedFunctionConcurrentInvocationLimitExceeded'],
  ['a cap of 0 is off', { cap: 0 }, 'ReservedFunctionConcurrentInvocationLimitExceeded'],
])('planAdmission: %s', (_reason, overrides, want) => {
  expect(planAdmission({ ...seen, ...overrides }, limits)).toBe(want);
});

const known: Pace = { meanMs: 10, coldMs: 60, waitedMs: 0, isStuck: false, claimed: 0 };
const slots = (counts: Partial<SlotCounts>): SlotCounts => ({ ...noSlots(), ...counts });
const need: ClaimNeed = {
  queued: 0,
  counts: noSlots(),
  cap: null,
  functionRunning: 0,
  provisioned: 0,
  width: 1,
  coming: 0,
  pace: { meanMs: 0, coldMs: 0, waitedMs: 0, isStuck: false, claimed: 0 },
  graceUntilMs: 0,
  failures: 0,
  pausedUntilMs: 0,
};

test.each<[reason: string, overrides: Partial<ClaimNeed>, want: number]>([
  ['nobody waits, nothing is claimed', {}, 0],
  ['each waiting request is one claim', { queued: 3 }, 3],
  ['a busy slot serves nobody', { queued: 1, counts: slots({ Busy: 4, Starting: 4, Foreign: 1 }) }, 1],
  ['a slot that is coming serves one', { queued: 3, counts: slots({ Claiming: 1 }) }, 2],
  ['a claimed pod that is dialled serves one', { queued: 3, coming: 2 }, 1],
  ['a finishing slot serves one', { queued: 2, counts: slots({ Finishing: 1 }) }, 1],
  ['within the grace', { queued: 2, counts: slots({ Finishing: 1 }), graceUntilMs: 101 }, 1],
  ['not after it', { queued: 2, counts: slots({ Finishing: 1 }), graceUntilMs: 100 }, 2],
  ['the worked example', { queued: 5, counts: slots({ Finishing: 1, Claiming: 1 }) }, 3],
  ['and with its cap', { queued: 5, counts: slots({ Finishing: 1, Claiming: 1 }), cap: 4, functionRunning: 3 }, 1],
  ['a lowered cap does not go negative', { queued: 5, cap: 1, functionRunning: 3 }, 0],
  ['provisioned slots need no demand', { provisioned: 3, counts: slots({ Busy: 1 }) }, 2],
  ['demand and provision are not added up', { queued: 2, provisioned: 2 }, 2],
  ['a pause stops everything', { queued: 2, provisioned: 2, pausedUntilMs: 101 }, 0],
  ['one failure is no pattern', { queued: 2, failures: 1 }, 2],
  ['two are: one try at a time', { queued: 2, failures: 2, pausedUntilMs: 100 }, 1],
  ['of known duration: what the work is worth', { queued: 50, pace: known }, 2],
  ['of which some are under way', { queued: 50, counts: slots({ Starting: 2 }), pace: known }, 1],
  ['which is under way', { queued: 2, failures: 2, counts: slots({ Starting: 1 }) }, 0],
])('planClaims: %s', (_reason, overrides, want) => {
  expect(planClaims({ ...need, ...overrides }, 100)).toBe(want);
});

test('initPauseMs doubles up to its bound', () => {
  const bounds = { minInitPauseMs: 100, maxInitPauseMs: 5000 };
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((n) => initPauseMs(n, bounds))).toEqual([
    0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000,
  ]);
});

const pods = (counts: Record<string, number>) =>
  new Map(Object.entries(counts).map(([zone, size]) => [zone, { size }]));
const used = (counts: Record<string, number>) => new Map(Object.entries(counts));

test.each<
  [
    reason: string,
    available: Record<string, number>,
    slotsByZone: Record<string, number>,
    own: string,
    want: string | undefined,
  ]
>([
  ['no pod, no zone', { a: 0 }, {}, 'a', undefined],
  ['where the function has fewest', { a: 9, b: 1 }, { a: 1 }, 'a', 'b'],
  ['then the own zone', { a: 9, b: 1 }, {}, 'b', 'b'],
  ['then where most are left', { a: 1, b: 2 }, {}, 'c', 'b'],
  ['then by name, so that it is the same each time', { b: 1, a: 1 }, {}, '', 'a'],
])('chooseZone: %s', (_reason, available, slotsByZone, own, want) => {
  expect(chooseZone(pods(available), used(slotsByZone), own)).toBe(want);
});

test.each<[reason: string, available: Record<string, number>, slotsByZone: Record<string, number>, want: string]>([
  ['the own zone first', { a: 9, b: 1 }, { b: 5 }, 'b'],
  ['without any there, where the function has fewest', { a: 9, c: 1 }, { a: 1 }, 'c'],
])('chooseZone with several owners: %s', (_reason, available, slotsByZone, want) => {
  expect(chooseZone(pods(available), used(slotsByZone), 'b', true)).toBe(want);
});

const version = { isCurrent: true, provisioned: 0, idleTimeoutMs: 50 };

test.each<[reason: string, since: number[], allocated: number, overrides: Partial<typeof version>, want: number]>([
  ['none is idle', [], 3, {}, 0],
  ['none is idle for long enough', [51, 60], 2, {}, 0],
  ['the one that is goes', [50, 51], 2, {}, 1],
  ['all that are go', [1, 2, 50], 3, {}, 3],
  ['what is provisioned stays', [1, 2, 50], 4, { provisioned: 3 }, 1],
  ['also when busy ones make it up', [1], 1, { provisioned: 1 }, 0],
  ['a version that is over keeps none', [99, 100], 2, { isCurrent: false, provisioned: 2 }, 2],
])('planExpiry: %s', (_reason, since, allocated, overrides, want) => {
  expect(planExpiry(since, allocated, { ...version, ...overrides }, 100)).toBe(want);
});

describe('slot states', () => {
  const states: readonly SlotState[] = ['Claiming', 'Starting', 'Idle', 'Busy', 'Finishing', 'Foreign', 'Gone'];
  const events: readonly SlotEvent[] = ['confirmed', 'taken', 'answered', 'reported', 'freed', 'dropped'];

  test('what is not listed is refused', () => {
    const allowed = states.flatMap((state) =>
      events.flatMap((event) => {
        try {
          return [`${state} ${event} ${nextSlotState(state, event)}`];
        } catch {
          return [];
        }
      }),
    );
    expect(allowed).toEqual([
      'Claiming confirmed Idle',
      'Claiming dropped Gone',
      'Starting confirmed Starting',
      'Starting answered Finishing',
      'Starting reported Idle',
      'Starting dropped Gone',
      'Idle taken Busy',
      'Idle dropped Gone',
      'Busy answered Finishing',
      'Busy reported Idle',
      'Busy dropped Gone',
      'Finishing reported Idle',
      'Finishing dropped Gone',
      'Foreign freed Idle',
      'Foreign dropped Gone',
    ]);
  });

  test('whatever may run a request counts against the cap', () => {
    expect(states.filter((state) => runningIn(state) === 1)).toEqual(['Starting', 'Busy', 'Finishing', 'Foreign']);
  });
});

test.each<[reason: string, missing: number, pace: Partial<Pace>, want: number]>([
  ['short work keeps few pods busy', 100, {}, 1],
  ['long work', 100, { meanMs: 1000 }, 67],
  ['longer than a pod start', 100, { meanMs: 9000 }, 100],
  ['nothing is known of it', 100, { meanMs: 0 }, 17],
  ['nor of a few', 8, { meanMs: 0 }, 8],
  ['however long it waits', 100, { waitedMs: 29_000 }, 1],
  ['one has come and did not suffice', 100, { claimed: 1 }, 1],
  ['then it doubles', 100, { claimed: 4 }, 4],
  ['up to all', 100, { claimed: 300 }, 100],
  ['none', 0, {}, 0],
])('podsWorthStarting: %s', (_reason, missing, pace, want) => {
  expect(podsWorthStarting(missing, { ...known, ...pace })).toBe(want);
});

test.each<[reason: string, missing: number, pace: Partial<Pace>, want: number]>([
  ['short work keeps few pods busy', 130, {}, 6],
  ['longer work more', 20, { meanMs: 100 }, 8],
  ['long work all', 20, { meanMs: 300 }, 24],
  ['whatever a cold start takes', 20, { meanMs: 300, coldMs: 5_000 }, 24],
  ['nothing is known', 130, { meanMs: 0 }, Number.POSITIVE_INFINITY],
  ['no cold start is known', 130, { coldMs: 0 }, Number.POSITIVE_INFINITY],
  ['it waits for long and no pod has begun', 130, { waitedMs: 750 }, 6],
  ['what is known was wrong', 130, { waitedMs: 750, claimed: 12 }, 12],
  ['and still is', 130, { waitedMs: 1_000, claimed: 24 }, 24],
  ['it has not waited for long', 130, { waitedMs: 500, claimed: 24 }, 6],
  ['agents do not even confirm', 130, { waitedMs: 9_000, isStuck: true, claimed: 24 }, 6],
  ['none', 0, {}, 0],
])('claimsWorthMaking: %s', (_reason, missing, pace, want) => {
  expect(claimsWorthMaking(missing, { ...known, ...pace })).toBe(want);
});

test.each<[reason: string, running: number, pace: Partial<Pace>, want: number]>([
  ['two slots for one cold start', 2, {}, 12],
  ['requests are longer than a cold start', 2, { meanMs: 200 }, 0],
  ['nothing runs', 0, {}, 0],
  ['no duration is known', 2, { meanMs: 0 }, 0],
  ['no cold start is known', 2, { coldMs: 0 }, 0],
  ['the oldest has waited for too long', 2, { waitedMs: 501 }, 0],
  ['which depends on the cold start', 2, { waitedMs: 1_999, coldMs: 1_000 }, 200],
  [
    'first requests seem to take long, as those that call others do: 2 s of waiting disprove it',
    1,
    { coldMs: 15_000, waitedMs: 2_001 },
    0,
  ],
])('servedSooner: %s', (_reason, running, pace, want) => {
  expect(servedSooner(running, { ...known, ...pace })).toBe(want);
});
