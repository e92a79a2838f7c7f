import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { blockedForNew, blockedForUpdates, checkDeprecated } from './deprecated-runtimes.ts';

interface Table {
  readonly asOf: string;
  readonly runtimes: readonly { readonly id: string; readonly deprecation?: readonly [string, string, string] }[];
}

test.each([
  ['no new functions', 1, blockedForNew],
  ['no updates', 2, blockedForUpdates],
] as const)('%s: as the dates of runtimes.yaml say', (_title, column, blocked) => {
  const path = join(import.meta.dirname, '../../../../runtime-images/runtimes.yaml');
  const { asOf, runtimes } = parse(readFileSync(path, 'utf8')) as Table;
  const reached = runtimes.filter(({ deprecation }) => deprecation !== undefined && deprecation[column] <= asOf);
  expect([...blocked].toSorted()).toEqual(reached.map(({ id }) => id).toSorted());
});

test.each<[reason: string, before: string, wanted: string, isRefused: boolean]>([
  ['a new function, or another runtime', 'nodejs24.x', 'nodejs20.x', true],
  ['one of today', 'nodejs24.x', 'nodejs24.x', false],
  ['a change that leaves it', 'nodejs20.x', 'nodejs20.x', true],
  ['the way out', 'nodejs20.x', 'nodejs24.x', false],
])('%s', (_reason, before, wanted, isRefused) => {
  const check = expect(() => checkDeprecated(before, wanted));
  if (isRefused) check.toThrow(`The runtime parameter of ${wanted} is no longer supported`);
  else check.not.toThrow();
});
