import { expect, test } from '@jest/globals';
import { type Condition, findCondition, isConditionTrue, kubernetesTime, setCondition } from './conditions.ts';

const firstMs = Date.UTC(2026, 0, 1);
const laterMs = firstMs + 90_500;
const ready: Condition = {
  type: 'Ready',
  status: 'False',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  reason: 'CodeMissing',
  message: 'no such blob',
};
const resolved: Condition = { ...ready, type: 'CodeResolved' };

test.each<[reason: string, before: Condition[], claim: Partial<Condition>, want: Condition[]]>([
  ['a new condition gets the time', [], {}, [{ ...ready, lastTransitionTime: '2026-01-01T00:01:30Z' }]],
  [
    'the same status keeps its time',
    [ready],
    { message: 'still not', reason: 'Other', observedGeneration: 2 },
    [{ ...ready, message: 'still not', reason: 'Other', observedGeneration: 2 }],
  ],
  [
    'another status moves the time',
    [ready],
    { status: 'True' },
    [{ ...ready, status: 'True', lastTransitionTime: '2026-01-01T00:01:30Z' }],
  ],
  [
    'others stay, sorted by type',
    [ready],
    { type: 'CodeResolved' },
    [{ ...resolved, lastTransitionTime: '2026-01-01T00:01:30Z' }, ready],
  ],
])('setCondition: %s', (_reason, before, claim, want) => {
  const { lastTransitionTime: _time, ...base } = ready;
  expect(setCondition(Object.freeze(before), { ...base, ...claim }, laterMs)).toEqual(want);
});

test('conditions are found by type', () => {
  expect(findCondition([resolved, ready], 'Ready')).toBe(ready);
  expect(findCondition(undefined, 'Ready')).toBeUndefined();
  expect(isConditionTrue([ready], 'Ready')).toBe(false);
  expect(isConditionTrue([{ ...ready, status: 'True' }], 'Ready')).toBe(true);
});

test('times are written as Kubernetes does', () => {
  expect(kubernetesTime(laterMs)).toBe('2026-01-01T00:01:30Z');
  expect(() => kubernetesTime(Number.NaN)).toThrow(RangeError);
});
