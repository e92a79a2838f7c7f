import { describe, expect, test } from '@jest/globals';

import { versionView } from '../testing.ts';
import { environmentSource, type SourceRef } from './environment.ts';

type Values = Readonly<Record<string, string>> | null;

function rig(sources: Record<string, Values>) {
  const state = { nowMs: 0, isAway: false, reads: 0 };
  const read = async ({ kind, namespace, name }: SourceRef): Promise<Values> => {
    state.reads += 1;
    if (state.isAway) throw new Error('away');
    return sources[`${kind}/${namespace}/${name}`] ?? null;
  };
  const source = environmentSource({ read, now: () => state.nowMs });
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
  return { environment, state };
}

const sources = { 'Secret/default/keys': { token: 't' }, 'ConfigMap/default/settings': { level: 'l' } };

describe('environment', () => {
  test('literals and references of the own namespace', async () => {
    expect(await rig(sources).environment()).toEqual({ PLAIN: 'a', TOKEN: 't', LEVEL: 'l' });
  });

  test('what was read is remembered for a while and used on while the API server is away', async () => {
    const { environment, state } = rig({ ...sources });
    await environment();
    await environment();
    expect(state.reads).toBe(2);
    state.nowMs = 60_000;
    state.isAway = true;
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
