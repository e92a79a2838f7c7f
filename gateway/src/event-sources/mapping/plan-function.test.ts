import { expect, test } from '@jest/globals';

import { routeFunction } from '../../registry/routing.ts';
import type { AliasView, FunctionView, VersionView } from '../../registry/views.ts';
import { functionView, testRouting, versionView } from '../../testing.ts';
import { planFunction } from './plan-function.ts';

interface Seen {
  readonly fn?: Partial<FunctionView> | null;
  readonly versions?: readonly VersionView[];
  readonly alias?: string;
  readonly qualifier?: string;
}

const first = versionView({ uid: 'uid-1', name: 'hello-1', version: '1' });
const aliasOf = (version: string): AliasView => ({
  namespace: 'default',
  name: 'hello.live',
  uid: 'uid-alias',
  generation: 1,
  createdMs: 0,
  functionObjectName: 'hello',
  alias: 'live',
  version,
  additional: null,
  description: '',
  http: null,
});

test.each<[reason: string, seen: Seen, want: string | null]>([
  ['it runs', {}, null],
  ['$LATEST by its name', { qualifier: '$LATEST' }, null],
  ['there is none', { fn: null }, 'FunctionNotFound: there is no function default/hello: create it, or name another'],
  [
    'no such version',
    { qualifier: '7' },
    'FunctionNotFound: function default/hello has no version or alias 7: publish it, or name another',
  ],
  ['a version', { qualifier: '1', versions: [first] }, null],
  ['an alias', { qualifier: 'live', versions: [first], alias: '1' }, null],
  [
    'an alias of a version that is gone',
    { qualifier: 'live', alias: '1' },
    'FunctionNotReady: function default/hello:live has no version that can run (Active)',
  ],
  [
    'no version yet, and why',
    { fn: { latestVersion: null, state: 'Failed', stateReason: 'the code is missing' }, versions: [] },
    'FunctionNotReady: function default/hello has no version that can run (Failed: the code is missing)',
  ],
  [
    'reserved concurrency 0',
    { fn: { reserved: 0 } },
    'FunctionThrottled: function default/hello has reserved concurrency 0: raise it to let batches in',
  ],
])('%s', (_reason, { fn: over = {}, versions = [], alias, qualifier = null }, want) => {
  const aliases = alias === undefined ? [] : [aliasOf(alias)];
  const all = over?.latestVersion === null ? versions : [versionView(), ...versions];
  const fn = over === null ? undefined : functionView(over);
  const observed = { versions: new Map(all.map((each) => [each.name, each])), aliases, accountId: '000000000000' };
  const routed = fn === undefined ? undefined : routeFunction({ fn, ...observed }, null, testRouting);
  const mapping = { functionKey: 'default/hello', qualifier };
  const found = planFunction({ fn, routed, versions: all, aliases }, mapping);
  expect(found === null ? null : `${found.reason}: ${found.message}`).toBe(want);
});
