import { expect, test } from '@jest/globals';
import type { AliasSummary } from '../observed.ts';
import { type AliasObserved, makeAliasStatus } from './plan.ts';

const alias: AliasSummary = {
  namespace: 'default',
  name: 'hello-live',
  generation: 3,
  functionName: 'hello',
  versions: ['4'],
  alias: 'live',
  meaning: { version: '4', additional: null },
  urlAlias: null,
  status: undefined,
};
const observed = (overrides: Partial<AliasObserved> = {}): AliasObserved => ({
  alias,
  hasFunction: true,
  versions: new Set(['$LATEST', '4']),
  url: null,
  ...overrides,
});

test.each<[reason: string, observed: AliasObserved, status: string, want: string]>([
  ['its version is there', observed(), 'True', 'Ready'],
  ['$LATEST is there', observed({ alias: { ...alias, versions: ['$LATEST'] } }), 'True', 'Ready'],
  [
    'the function has no code yet',
    observed({ alias: { ...alias, versions: ['$LATEST'] }, versions: new Set() }),
    'False',
    'VersionMissing',
  ],
  [
    'one of two versions is missing',
    observed({ alias: { ...alias, versions: ['4', '5'] } }),
    'False',
    'VersionMissing',
  ],
  ['its function is missing', observed({ hasFunction: false }), 'False', 'FunctionMissing'],
])('makeAliasStatus: %s', (_reason, given, status, reason) => {
  expect(makeAliasStatus(given, 0)).toMatchObject({
    observedGeneration: 3,
    conditions: [{ type: 'Ready', status, reason, observedGeneration: 3 }],
  });
});

test('its URL is told while it has one', () => {
  const url = 'https://kappa.example/fn/default/hello:live/';
  const status = makeAliasStatus(observed({ url }), 0);
  expect(status.url).toBe(url);
  expect(makeAliasStatus(observed({ alias: { ...alias, status } }), 0)).not.toHaveProperty('url');
});

test('the same again is equal, so that nothing is written', () => {
  const status = makeAliasStatus(observed(), 1_000);
  expect(makeAliasStatus(observed({ alias: { ...alias, status } }), 9_000)).toEqual(status);
});
