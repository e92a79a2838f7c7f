import { describe, expect, test } from '@jest/globals';

import { ManualClock } from '../dispatch/testing.ts';
import { versionView } from '../testing.ts';
import { environmentSource } from './environment.ts';
import type { SourceRef } from './known-sources.ts';

type Values = Readonly<Record<string, string>> | null;

function rig(sources: Record<string, Values>) {
  const clock = new ManualClock();
  const state = { isAway: false, isHanging: false, reads: 0 };
  const read = async ({ kind, namespace, name }: SourceRef): Promise<Values> => {
    state.reads += 1;
    if (state.isAway) throw new Error('away');
    if (state.isHanging) await new Promise(() => {});
    return sources[`${kind}/${namespace}/${name}`] ?? null;
  };
  const added = (namespace: string) => ({ AWS_ENDPOINT_URL_S3: `http://s3.${namespace}` });
  const source = environmentSource({ read, added, now: clock.nowMs, schedule: clock.after });
  const environment = source(
    'default',
    versionView({
      environment: [
        { name: 'PLAIN', value: 'a' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } },
      ],
    }),
  );
  return { environment, state, clock };
}

/** What is settled has told everybody. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const sources = { 'Secret/default/keys': { token: 't' }, 'ConfigMap/default/settings': { level: 'l' } };

describe('environment', () => {
  test('literals and references of the own namespace', async () => {
    const added = { AWS_ENDPOINT_URL_S3: 'http://s3.default' };
    expect(await rig(sources).environment()).toEqual({ ...added, PLAIN: 'a', TOKEN: 't', LEVEL: 'l' });
  });

  test('what was read is used at once, whatever its age, and read again in the background when it is old', async () => {
    const given = { ...sources, 'Secret/default/keys': { token: 't' } };
    const { environment, state, clock } = rig(given);
    await environment();
    await environment();
    expect(state.reads).toBe(2);
    clock.advance(10_000);
    given['Secret/default/keys'] = { token: 'new' };
    expect(await environment()).toMatchObject({ TOKEN: 't' });
    expect(state.reads).toBe(4);
    await turn();
    expect(await environment()).toMatchObject({ TOKEN: 'new' });
    expect(state.reads).toBe(4);
  });

  test.each(['isAway', 'isHanging'] as const)(
    'an API server that %s delays no call whose values are known',
    async (how) => {
      const { environment, state, clock } = rig(sources);
      await environment();
      clock.advance(60_000);
      state[how] = true;
      for (let call = 0; call < 3; call += 1) expect(await environment()).toMatchObject({ TOKEN: 't', LEVEL: 'l' });
      if (how === 'isHanging') expect(state.reads).toBe(4); // two known, two under way: single flight
      clock.advance(2_000);
      await turn();
      expect(await environment()).toMatchObject({ TOKEN: 't' });
      if (how === 'isHanging') expect(state.reads).toBe(6); // the silent ones have made room
    },
  );

  test('a value that was never read is waited for, but not for ever', async () => {
    const { environment, state, clock } = rig(sources);
    state.isHanging = true;
    const failure = expect(environment()).rejects.toMatchObject({
      fault: 'platform',
      code: 'ServiceException',
      message: expect.stringMatching(/cannot read .* did not answer within 2 s.*did not run/),
    });
    clock.advance(2_000);
    await failure;
  });

  test('what was missing is looked for again before the call fails', async () => {
    const given: Record<string, Values> = { 'ConfigMap/default/settings': { level: 'l' } };
    const { environment, clock } = rig(given);
    await expect(environment()).rejects.toThrow(/Secret keys .* does not exist/);
    given['Secret/default/keys'] = { token: 't' };
    clock.advance(1_000);
    expect(await environment()).toMatchObject({ TOKEN: 't' });
  });

  test('nothing known and the API server away is the platform’s fault', async () => {
    const { environment, state } = rig(sources);
    state.isAway = true;
    await expect(environment()).rejects.toMatchObject({ fault: 'platform', code: 'ServiceException' });
  });

  test.each<[reason: string, sources: Record<string, Values>, message: RegExp]>([
    [
      'a missing Secret',
      { 'ConfigMap/default/settings': { level: 'l' } },
      /Secret keys of variable TOKEN does not exist/,
    ],
    ['a missing key', { ...sources, 'Secret/default/keys': {} }, /Secret keys of variable TOKEN has no key token/],
    ['an inherited name is no key', { ...sources, 'Secret/default/keys': Object.create({ token: 'x' }) }, /has no key/],
    ['too much', { ...sources, 'Secret/default/keys': { token: 'x'.repeat(4090) } }, /4\d\d\d bytes, more than 4KB/],
  ])('%s is the function’s fault and shows no value', async (_reason, given, message) => {
    const failure = rig(given).environment();
    await expect(failure).rejects.toMatchObject({ fault: 'function', status: 502 });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.not.toThrow(/xxx/);
  });
});
