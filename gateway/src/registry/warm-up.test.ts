import { expect, test } from '@jest/globals';
import { makeTarget } from '../dispatch/testing.ts';
import type { Target } from '../dispatch/types.ts';
import { WarmUp } from './warm-up.ts';

/** A warm-up whose reads end when the test says so. */
function harness() {
  const read: string[] = [];
  const ends: (() => void)[] = [];
  const warmUp = new WarmUp({
    readCode: (sha256) => {
      read.push(sha256);
      return new Promise((resolve) => ends.push(() => resolve(null)));
    },
    maxCodeBytes: 100,
  });
  const next = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { warmUp, read, next };
}

const target = (uid: string, overrides: Partial<Target> = {}): Target =>
  makeTarget({ versionUid: uid, codeSha256: uid, codeBytes: 10, environment: async () => ({}), ...overrides });
const current = (...targets: readonly Target[]): ReadonlyMap<string, Target> =>
  new Map(targets.map((each) => [each.versionUid, each]));

test('new versions are read one at a time, known ones never again', async () => {
  const { warmUp, read, next } = harness();
  warmUp.onVersions(current(target('a'), target('b')));
  expect(read).toEqual(['a']);
  await next();
  expect(read).toEqual(['a', 'b']);
  await next();
  warmUp.onVersions(current(target('a'), target('b'), target('c')));
  expect(read).toEqual(['a', 'b', 'c']);
});

test('a version that is gone before its turn is not read', async () => {
  const { warmUp, read, next } = harness();
  warmUp.onVersions(current(target('a'), target('b')));
  warmUp.onVersions(current(target('a')));
  await next();
  expect(read).toEqual(['a']);
});

test('large code stays on disk, its environment is resolved all the same', async () => {
  const { warmUp, read } = harness();
  let resolved = 0;
  const environment = async () => {
    resolved += 1;
    return {};
  };
  warmUp.onVersions(current(target('big', { codeBytes: 101, environment })));
  expect(read).toEqual([]);
  expect(resolved).toBe(1);
});

test('the code of an image is in its pods', () => {
  const { warmUp, read } = harness();
  warmUp.onVersions(current(target('image', { image: { process: ['/entry'] } })));
  expect(read).toEqual([]);
});

test('layers are read, too, as far as they are small', async () => {
  const { warmUp, read } = harness();
  const layers = [
    { sha256: 'small', bytes: 100 },
    { sha256: 'large', bytes: 101 },
  ];
  warmUp.onVersions(current(target('a', { layers })));
  expect(read).toEqual(['a', 'small']);
});

test('what fails holds up nothing', async () => {
  const { warmUp, read } = harness();
  const environment = () => Promise.reject(new Error('no such Secret'));
  warmUp.onVersions(current(target('broken', { codeBytes: 101, environment }), target('b')));
  await new Promise((resolve) => setImmediate(resolve));
  expect(read).toEqual(['b']);
});
