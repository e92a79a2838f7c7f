import { describe, expect, test } from '@jest/globals';
import type { FunctionPermission } from '@kappa/crds/function';

import { allows } from '../auth/resource-policy.ts';
import { functionView, httpView, routed, testRouting, versionView } from '../testing.ts';
import { resolveQualifier, urlOf } from './functions.ts';
import { type Observed, routeFunction, targetsOf } from './routing.ts';
import type { AliasView, FunctionView, HttpView, VersionView } from './views.ts';

const observed = (fn: Partial<FunctionView>, versions: readonly VersionView[]): Observed => ({
  fn: functionView(fn),
  versions: new Map(versions.map((version) => [version.name, version])),
  aliases: [],
  accountId: '000000000000',
});
const first = versionView();
const second = versionView({ uid: 'uid-b', name: 'hello-bbbbbbbbbb' });

test.each<
  [reason: string, fn: Partial<FunctionView>, versions: VersionView[], latest: string | null, isPending: boolean]
>([
  ['a settled function runs its version', {}, [first], 'uid-a', false],
  ['a newer generation is pending, what is there goes on', { generation: 2 }, [first], 'uid-a', true],
  ['a version that has not arrived is pending', { latestVersion: second.name }, [], null, true],
  ['never looked at', { latestVersion: null, state: 'Pending', observedGeneration: 0 }, [], null, true],
  ['looked at, its code is on the way', { latestVersion: null, state: 'Pending' }, [], null, true],
  ['failed for good: nothing better is to come', { latestVersion: null, state: 'Failed' }, [], null, false],
  [
    'a failed update leaves the old version',
    { state: 'Active', latestVersion: first.name },
    [first, second],
    'uid-a',
    false,
  ],
])('routeFunction: %s', (_reason, fn, versions, latest, isPending) => {
  const made = routeFunction(observed(fn, versions), null, testRouting);
  expect({ latest: made.latest?.versionUid ?? null, isPending: made.isPending }).toEqual({ latest, isPending });
});

test('routeFunction: the old version goes on until the new one has arrived', () => {
  const before = routeFunction(observed({}, [first]), null, testRouting);
  const between = routeFunction(
    observed({ generation: 2, observedGeneration: 2, latestVersion: second.name }, [first]),
    before,
    testRouting,
  );
  expect(between).toMatchObject({ isPending: true, latest: { versionUid: 'uid-a' } });
  const after = routeFunction(
    observed({ generation: 2, observedGeneration: 2, latestVersion: second.name }, [first, second]),
    between,
    testRouting,
  );
  expect(after).toMatchObject({ isPending: false, latest: { versionUid: 'uid-b' } });
  expect(targetsOf(after).map((target) => target.versionUid)).toEqual(['uid-b']);
});

test('routeFunction: an unchanged target stays the same object, a changed limit makes a new one with the same environment', () => {
  const before = routeFunction(observed({}, [first]), null, testRouting);
  expect(routeFunction(observed({ generation: 2 }, [first]), before, testRouting).latest).toBe(before.latest);
  const limited = routeFunction(observed({ reserved: 5 }, [first]), before, testRouting);
  expect(limited.latest).toMatchObject({ versionUid: 'uid-a', reservedConcurrency: 5 });
  expect(limited.latest?.environment).toBe(before.latest?.environment);
});

test('routeFunction: everything of the version reaches the target', () => {
  const { latest } = routed({ reserved: 3, provisioned: 2 }, [
    versionView({ timeoutSeconds: 7, idleTimeoutSeconds: 9, idle: 'Running', systemLogLevel: 'WARN' }),
  ]);
  expect(latest).toMatchObject({
    versionName: 'hello-aaaaaaaaaa',
    namespace: 'default',
    accountId: '000000000000',
    functionObjectName: 'hello',
    functionName: 'hello',
    version: '$LATEST',
    pool: 'nodejs24.x',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    memoryMiB: 128,
    timeoutMs: 7000,
    idleTimeoutMs: 9000,
    reservedConcurrency: 3,
    provisionedConcurrency: 2,
    region: 'us-east-1',
  });
});

test('routeFunction: a version from an image has its own pool', () => {
  const image = { pool: 'image-1', process: ['/entry', 'app.handler'], workingDirectory: '/app' };
  const { latest } = routed({}, [versionView({ runtime: 'image', handler: 'app.handler', image })]);
  expect(latest).toMatchObject({ pool: 'image-1', runtime: 'image', handler: 'app.handler' });
  expect(latest?.image).toEqual({ process: ['/entry', 'app.handler'], workingDirectory: '/app' });
});

const one = versionView({ uid: 'uid-1', name: 'hello-1', version: '1' });
const two = versionView({ uid: 'uid-2', name: 'hello-2', version: '2' });
const alias = (name: string, version: string, additional: { version: string; weight: number } | null = null) => ({
  namespace: 'default',
  name: `hello-${name}`,
  uid: 'uid-alias',
  generation: 1,
  description: '',
  createdMs: 0,
  http: null,
  functionObjectName: 'hello',
  alias: name,
  version,
  additional,
});
const fn = routed(
  {},
  [first, one, two],
  [
    alias('live', '1', { version: '2', weight: 0.3 }),
    alias('latest', '$LATEST'),
    alias('broken', '9'),
    alias('half', '1', { version: '9', weight: 1 }),
  ],
);

test.each<[qualifier: string | null, random: number, uid: string | null]>([
  [null, 0, 'uid-a'],
  ['$LATEST', 0, 'uid-a'],
  ['1', 0, 'uid-1'],
  ['9', 0, null],
  ['live', 0.29, 'uid-2'],
  ['live', 0.3, 'uid-1'],
  ['latest', 0, 'uid-a'],
  ['broken', 0, null],
  ['half', 0, 'uid-1'],
  ['nobody', 0, null],
])('resolveQualifier: %p with %p is %p', (qualifier, random, uid) => {
  expect(resolveQualifier(fn, qualifier, () => random)?.target.versionUid ?? null).toBe(uid);
});

test.each<[reason: string, early: Partial<AliasView>, late: Partial<AliasView>, uid: string | null]>([
  ['the older has it', { createdMs: 1_000, version: '1' }, { createdMs: 2_000, version: '2' }, 'uid-1'],
  ['of one age the first by name has it', { name: 'b', version: '1' }, { name: 'a', version: '2' }, 'uid-2'],
  ['also when its version is missing', { createdMs: 1_000, version: '9' }, { createdMs: 2_000, version: '2' }, null],
])('of two objects with one alias name %s, whichever came first', (_reason, early, late, uid) => {
  const pair = [early, late].map((over) => ({ ...alias('live', '1'), ...over }));
  for (const aliases of [pair, pair.toReversed()]) {
    const made = routed({}, [first, one, two], aliases);
    expect(resolveQualifier(made, 'live', () => 0)?.target.versionUid ?? null).toBe(uid);
  }
});

test('resolveQualifier: a function that failed says so and why', () => {
  const failed = routed({ latestVersion: null, state: 'Failed', stateReason: 'no such blob' }, []);
  expect(() => resolveQualifier(failed, null, () => 0)).toThrow('state: Failed (no such blob)');
});

describe('function URLs', () => {
  const url: FunctionPermission = {
    sid: 'url',
    qualifier: '',
    action: 'lambda:InvokeFunctionUrl',
    principal: '*',
    functionUrlAuthType: 'None',
  };
  const viaUrl: FunctionPermission = {
    sid: 'invoke',
    qualifier: '',
    action: 'lambda:InvokeFunction',
    principal: '*',
    invokedViaFunctionUrl: true,
  };
  const forAlias = (permission: FunctionPermission) => ({ ...permission, qualifier: 'live' });

  test.each<[reason: string, auth: HttpView['auth'], permissions: FunctionPermission[], want: boolean]>([
    ['a manifest’s None is open', 'None', [], true],
    ['Policy alone is not', 'Policy', [], false],
    ['Policy with both statements is', 'Policy', [url, viaUrl], true],
    ['Policy with one is not', 'Policy', [url], false],
    ['those of an alias do not count', 'Policy', [forAlias(url), forAlias(viaUrl)], false],
    ['AwsIam is never open', 'AwsIam', [url, viaUrl], false],
  ])('of a function: %s', (_reason, auth, permissions, want) => {
    expect(routed({ http: httpView({ auth }), permissions }).http).toMatchObject({ isOpen: want, alias: null });
  });

  test.each<[reason: string, auth: HttpView['auth'], permissions: FunctionPermission[], want: boolean]>([
    ['a manifest’s None is open', 'None', [], true],
    ['those of the function do not count', 'Policy', [url, viaUrl], false],
    ['its own do', 'Policy', [forAlias(url), forAlias(viaUrl)], true],
  ])('of an alias: %s', (_reason, auth, permissions, want) => {
    const live = { ...alias('live', '1'), http: httpView({ auth }) };
    const made = routed({ http: null, permissions }, [versionView(), one], [live]);
    expect(urlOf(made, 'live')).toMatchObject({ isOpen: want, alias: 'live' });
    expect([urlOf(made, null), urlOf(made, 'other')]).toEqual([null, null]);
  });

  test('what a manifest opens is the URL, not the function', () => {
    const grants = resolveQualifier(routed(), null, () => 0)?.grants ?? [];
    expect(allows(grants, { action: 'lambda:InvokeFunction', caller: { kind: 'anybody' } })).toBe(false);
  });
});
