import { expect, test } from '@jest/globals';

import { functionView, testRouting, versionView } from '../testing.ts';
import { sharesOf } from './provisioned.ts';
import { routeFunction, targetsOf } from './routing.ts';
import type { AliasView, QualifiedExecutions } from './views.ts';

const alias = (name: string, version: string, additional: AliasView['additional'] = null): AliasView => ({
  namespace: 'default',
  name: `hello.a.${name}`,
  uid: `uid-${name}`,
  generation: 1,
  createdMs: 0,
  functionObjectName: 'hello',
  alias: name,
  version,
  additional,
  description: '',
  http: null,
});

test.each<[reason: string, executions: number, weight: number, first: number, second: number]>([
  ['a tenth of ten', 10, 0.1, 9, 1],
  ['what cannot be halved goes to the first', 5, 0.5, 3, 2],
  ['a share below one is none', 5, 0.1, 5, 0],
  ['who has most of the calls has most of the pods', 5, 0.7, 1, 4],
  ['all', 3, 1, 0, 3],
  ['nothing', 3, 0, 3, 0],
])('an alias gives its pods by its weights: %s', (_reason, executions, weight, first, second) => {
  const aliases = [alias('live', '1', { version: '2', weight })];
  expect(sharesOf({ qualifier: 'live', executions }, aliases)).toEqual([
    { version: '1', executions: first },
    { version: '2', executions: second },
  ]);
});

test('a version gets its own, and what aliases give it; an alias that is not there gives nothing', () => {
  const latest = versionView();
  const one = versionView({ uid: 'uid-1', name: 'hello-v1', version: '1' });
  const two = versionView({ uid: 'uid-2', name: 'hello-v2', version: '2' });
  const provisionedByQualifier: readonly QualifiedExecutions[] = [
    { qualifier: '1', executions: 2 },
    { qualifier: 'live', executions: 3 },
    { qualifier: 'gone', executions: 9 },
  ];
  const route = (aliases: readonly AliasView[]) =>
    targetsOf(
      routeFunction(
        {
          fn: functionView({ provisioned: 1, provisionedByQualifier }),
          versions: new Map([latest, one, two].map((version) => [version.name, version])),
          aliases,
          accountId: '000000000000',
        },
        null,
        testRouting,
      ),
    ).map(({ version, provisionedConcurrency }) => [version, provisionedConcurrency]);
  expect(route([alias('live', '2')])).toEqual([
    ['$LATEST', 1],
    ['1', 2],
    ['2', 3],
  ]);
  expect(route([alias('live', '1')])).toEqual([
    ['$LATEST', 1],
    ['1', 5],
    ['2', 0],
  ]);
  expect(route([])).toEqual([
    ['$LATEST', 1],
    ['1', 2],
    ['2', 0],
  ]);
});

test('a version whose pods run several invocations at once keeps none, whatever the function says by now', () => {
  const wide = versionView({ uid: 'uid-1', name: 'hello-v1', version: '1', perInstance: 10 });
  const observed = {
    fn: functionView({ provisionedByQualifier: [{ qualifier: '1', executions: 2 }] }),
    versions: new Map([[wide.name, wide]]),
    aliases: [],
    accountId: '000000000000',
  };
  expect(routeFunction(observed, null, testRouting).versions?.get('1')?.provisionedConcurrency).toBe(0);
});

test('of two objects with one alias the older one counts', () => {
  const version = versionView({ uid: 'uid-1', name: 'hello-v1', version: '1' });
  const observed = {
    fn: functionView({ latestVersion: null, provisionedByQualifier: [{ qualifier: 'live', executions: 2 }] }),
    versions: new Map([[version.name, version]]),
    aliases: [{ ...alias('live', '9'), createdMs: 5 }, alias('live', '1')],
    accountId: '000000000000',
  };
  expect(routeFunction(observed, null, testRouting).versions?.get('1')?.provisionedConcurrency).toBe(2);
});
