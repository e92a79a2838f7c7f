import { expect, test } from '@jest/globals';

import type { PoolPod, Target } from '../dispatch/types.ts';
import { functionView, testRouting, versionView } from '../testing.ts';
import { Registry } from './registry.ts';

function rig() {
  let nowMs = 0;
  const timers: { atMs: number; then: () => void }[] = [];
  const deferred: (() => void)[] = [];
  const told: string[][] = [];
  const registry = new Registry({
    routing: testRouting,
    dispatcher: { onVersions: (current: ReadonlyMap<string, Target>) => void told.push([...current.keys()]) },
    holdMs: 500,
    startWaitMs: 5000,
    now: () => nowMs,
    schedule: (ms, then) => {
      const timer = { atMs: nowMs + ms, then };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    defer: (then) => void deferred.push(then),
  });
  return {
    registry,
    told,
    timers,
    settle: () => {
      for (const then of deferred.splice(0)) then();
    },
    pass: (ms: number) => {
      nowMs += ms;
      for (const timer of [...timers]) if (timer.atMs <= nowMs) timer.then();
    },
  };
}

const older = { generation: 2, observedGeneration: 1 };
const second = versionView({ uid: 'uid-b', name: 'hello-bbbbbbbbbb' });

test('many changes are worked off at once, and dispatch hears of versions only after the first complete view', () => {
  const { registry, settle, told } = rig();
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView());
  settle();
  expect(told).toEqual([]);
  registry.markSynced();
  expect(told).toEqual([['uid-a']]);
  registry.setFunction('default/hello', functionView({ generation: 3, observedGeneration: 3 }));
  settle();
  expect(told).toHaveLength(1);
  registry.setVersion('default/hello-bbbbbbbbbb', second);
  registry.setFunction('default/hello', functionView({ latestVersion: second.name }));
  settle();
  expect(told[1]).toEqual(['uid-b']);
  registry.setFunction('default/hello', null);
  settle();
  expect(told[2]).toEqual([]);
  expect(registry.byName('000000000000', 'hello')).toBeUndefined();
});

test('a request waits for an update that is under way and gets the new version', async () => {
  const { registry, settle, timers } = rig();
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView());
  registry.markSynced();
  registry.setFunction('default/hello', functionView(older));
  settle();
  const held = registry.byName('000000000000', 'hello');
  expect(held).toBeInstanceOf(Promise);
  registry.setFunction(
    'default/hello',
    functionView({ generation: 2, observedGeneration: 2, latestVersion: second.name }),
  );
  settle();
  registry.setVersion('default/hello-bbbbbbbbbb', second);
  settle();
  expect((await held)?.latest?.versionUid).toBe('uid-b');
  expect(timers).toHaveLength(0);
});

test('an update that does not come is waited for once, then the old version goes on', async () => {
  const { registry, settle, pass } = rig();
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView(older));
  settle();
  registry.markSynced();
  const held = registry.byObject('default', 'hello');
  pass(500);
  expect((await held)?.latest?.versionUid).toBe('uid-a');
  expect(registry.byObject('default', 'hello')).not.toBeInstanceOf(Promise);
});

test('a hold ends when the function goes', async () => {
  const { registry, settle } = rig();
  registry.setFunction('default/hello', functionView({ ...older, latestVersion: null }));
  settle();
  registry.markSynced();
  const held = registry.byObject('default', 'hello');
  registry.setFunction('default/hello', null);
  settle();
  expect(await held).toBeUndefined();
});

test('before the first complete view nothing is "not found"', async () => {
  const { registry, settle, pass } = rig();
  const early = registry.byName('000000000000', 'hello');
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView());
  settle();
  // Known, but its pods may not be: a call now would claim another one.
  expect(registry.byObject('default', 'hello')).toBeInstanceOf(Promise);
  registry.markSynced();
  expect((await early)?.functionName).toBe('hello');
  expect(registry.byName('000000000000', 'nobody')).toBeUndefined();

  const late = rig();
  const never = late.registry.byObject('default', 'hello');
  late.pass(5000);
  pass(0);
  await expect(never).rejects.toMatchObject({ code: 'ServiceException', fault: 'platform' });
});

test('the account is the namespace’s; a changed label moves its functions', () => {
  const { registry, settle } = rig();
  registry.setFunction('team/hello', functionView({ namespace: 'team' }));
  registry.setNamespace('team', { accountId: '111111111111', region: undefined });
  settle();
  registry.markSynced();
  registry.setVersion('team/v', versionView({ namespace: 'team' }));
  settle();
  expect(registry.byName('111111111111', 'hello')).toMatchObject({
    arn: 'arn:aws:lambda:us-east-1:111111111111:function:hello',
  });
  registry.setNamespace('team', { accountId: '222222222222', region: undefined });
  settle();
  expect(registry.byName('111111111111', 'hello')).toBeUndefined();
  expect(registry.byName('222222222222', 'hello')).toMatchObject({ latest: { accountId: '222222222222' } });
});

test('of two objects with one Lambda name the first by name has it, and the other follows when it goes', () => {
  const { registry, settle } = rig();
  registry.setFunction(
    'default/b',
    functionView({ name: 'b', functionName: 'Same', state: 'Failed', latestVersion: null }),
  );
  registry.setFunction(
    'default/a',
    functionView({ name: 'a', functionName: 'Same', state: 'Failed', latestVersion: null }),
  );
  settle();
  registry.markSynced();
  expect(registry.byName('000000000000', 'Same')).toMatchObject({ name: 'a' });
  registry.setFunction('default/a', null);
  settle();
  expect(registry.byName('000000000000', 'Same')).toMatchObject({ name: 'b' });
});

test('nothing is kept of what is gone', () => {
  const { registry, settle } = rig();
  registry.markSynced();
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView());
  const alias = {
    namespace: 'default',
    name: 'hello-live',
    uid: 'uid-alias',
    generation: 1,
    description: '',
    createdMs: 0,
    functionObjectName: 'hello',
    alias: 'live',
    version: '1',
    additional: null,
    http: null,
  };
  registry.setAlias('default/hello-live', alias);
  settle();
  registry.setAlias('default/hello-live', null);
  registry.setVersion('default/hello-aaaaaaaaaa', null);
  registry.setFunction('default/hello', null);
  settle();
  expect(registry.stats()).toEqual({ functions: 0, versions: 0, aliases: 0, targets: 0 });
});

test('the Lambda API finds functions without waiting, and knows whose a namespace is', async () => {
  const { registry, settle } = rig();
  registry.setNamespace('team-b', { accountId: '111111111111', region: undefined });
  registry.setNamespace('team-a', { accountId: '111111111111', region: undefined });
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView({ ...older, reserved: 7 }));
  settle();
  registry.markSynced();
  expect(await registry.locate('000000000000', 'hello')).toMatchObject({ name: 'hello', generation: 2 });
  expect(await registry.locate('111111111111', 'hello')).toBeUndefined();
  expect(registry.look('default/hello')).toMatchObject({
    fn: { generation: 2 },
    routed: { isPending: true },
    versions: [{ name: 'hello-aaaaaaaaaa' }],
    aliases: [],
  });
  expect(registry.ofAccount('000000000000')).toMatchObject([{ reserved: 7 }]);
  expect(await registry.namespaceOf('111111111111')).toBe('team-a');
  expect(await registry.namespaceOf('000000000000')).toBe('default');
  expect(await registry.namespaceOf('222222222222')).toBeUndefined();
});

test('pods are found by the version that they hold', () => {
  const { registry } = rig();
  const pod = (name: string, versionUid: string | null): PoolPod => {
    const place = { name, uid: name, ip: '', zone: '', pool: 'nodejs24.x', ready: true, terminating: false };
    return { ...place, state: versionUid === null ? 'generic' : 'claimed', versionUid };
  };
  registry.setPod('pools/a', pod('a', null));
  registry.setPod('pools/b', pod('b', 'uid-a'));
  registry.setPod('pools/a', pod('a', 'uid-a'));
  const names = () => registry.podsOf('uid-a').map(({ name }) => name);
  expect(names()).toEqual(['b', 'a']);
  registry.setPod('pools/b', null);
  expect(names()).toEqual(['a']);
  expect(registry.podsOf('uid-b')).toEqual([]);
});

test('an account of another region shares nothing but its number', async () => {
  const { registry, settle } = rig();
  const region = 'eu-west-1';
  const elsewhere = registry.inRegion(region);
  registry.setVersion('default/hello-aaaaaaaaaa', versionView());
  registry.setFunction('default/hello', functionView());
  registry.setVersion('apart/hello-aaaaaaaaaa', versionView({ namespace: 'apart', uid: 'uid-apart' }));
  registry.setFunction('apart/hello', functionView({ namespace: 'apart', uid: 'fn-apart' }));
  registry.setNamespace('apart', { accountId: '000000000000', region });
  settle();
  registry.markSynced();
  const arnIn = (one: string): string => `arn:aws:lambda:${one}:000000000000:function:hello`;
  expect(await registry.byName('000000000000', 'hello')).toMatchObject({
    namespace: 'default',
    arn: arnIn('us-east-1'),
  });
  expect(await elsewhere.byName('000000000000', 'hello')).toMatchObject({
    namespace: 'apart',
    arn: arnIn(region),
    latest: { versionUid: 'uid-apart', region, accountId: '000000000000' },
  });
  expect(await registry.inRegion('ap-south-1').byName('000000000000', 'hello')).toBeUndefined();
  expect(await registry.namespacesOf('000000000000')).toEqual(['default']);
  expect(await elsewhere.namespacesOf('000000000000')).toEqual(['apart']);
  expect(await registry.inRegion('ap-south-1').namespaceOf('000000000000')).toBe('default-ap-south-1');
  expect(elsewhere.ofAccount('000000000000').map(({ namespace }) => namespace)).toEqual(['apart']);
  registry.setNamespace('apart', { accountId: '000000000000', region: undefined });
  settle();
  expect(await elsewhere.byName('000000000000', 'hello')).toBeUndefined();
  expect(registry.look('apart/hello').routed).toMatchObject({
    arn: arnIn('us-east-1'),
    latest: { region: 'us-east-1' },
  });
});
