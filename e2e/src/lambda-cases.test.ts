import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readOutcomes, readScenarios, readUnprovoked } from './lambda-cases.ts';

/** Operation and status, as users are told. */
const promised = [
  ...readFileSync(join(import.meta.dirname, '../../docs/lambda-compatibility.md'), 'utf8').matchAll(
    /^\| (\w+) \| (supported|stored|unsupported) \|/gm,
  ),
].map(([, operation = '', status = '']) => ({ operation, status }));
const steps = readScenarios().flatMap(({ steps }) => steps);
const { operations } = readOutcomes();
const pairOf = (operation: string, outcome: string) => `${operation}: ${outcome}`;
const provoked = new Set(steps.map(({ call, refused }) => pairOf(call, refused ?? 'Success')));

/** All that a served operation may answer by the service model. */
const declared = promised
  .filter(({ status }) => status !== 'unsupported')
  .flatMap(({ operation }) =>
    ['Success', ...(operations[operation]?.errors ?? [])].map((outcome) => ({ operation, outcome })),
  );

test('every operation has a case', () => {
  expect(promised).toHaveLength(Object.keys(operations).length);
  const called = new Set(steps.map(({ call }) => call));
  expect(promised.map(({ operation }) => operation).filter((operation) => !called.has(operation))).toEqual([]);
});

test('each outcome of a served operation is provoked, or there is a reason why not', () => {
  const excused = readUnprovoked().flatMap(({ outcomes, of }) => outcomes.map((outcome) => ({ outcome, of })));
  const isExcused = (pair: (typeof declared)[number]) =>
    excused.some(({ outcome, of }) => outcome === pair.outcome && (of === 'every' || of.includes(pair.operation)));
  const missing = declared.filter((pair) => !provoked.has(pairOf(pair.operation, pair.outcome)) && !isExcused(pair));
  expect(missing.map(({ operation, outcome }) => pairOf(operation, outcome))).toEqual([]);
});

test('no reason is given for what is provoked, or for what nothing can answer', () => {
  const idle = readUnprovoked().flatMap(({ outcomes, of }) =>
    outcomes.flatMap((outcome) => {
      if (of === 'every') return declared.some((pair) => pair.outcome === outcome) ? [] : [outcome];
      return of
        .map((operation) => pairOf(operation, outcome))
        .filter((pair) => provoked.has(pair) || !declared.some((one) => pairOf(one.operation, one.outcome) === pair));
    }),
  );
  expect(idle).toEqual([]);
});

test('what is unsupported is refused as such, and nothing else is', () => {
  const refused = new Set(steps.filter((step) => step.refused === 'NotImplementedException').map(({ call }) => call));
  const unsupported = promised.filter(({ status }) => status === 'unsupported').map(({ operation }) => operation);
  expect([...refused].sort()).toEqual(unsupported.toSorted());
});
