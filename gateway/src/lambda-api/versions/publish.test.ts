import { beforeEach, expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import { lastVersionAnnotation } from '@kappa/crds/labels';

import type { ApiDeps } from '../call.ts';
import { Objects } from '../objects.ts';
import { FakeObjects, functionSpec } from '../testing.ts';
import { publishedVersions, publishVersion } from './publish.ts';

const code = { sha256: 'ab'.repeat(32), sizeBytes: 5 };
let kubernetes: FakeObjects;
let deps: ApiDeps;
beforeEach(() => {
  kubernetes = new FakeObjects();
  kubernetes.set('functions', 'default', 'f', { spec: functionSpec });
  const objects = new Objects({ kubernetes, sleep: () => Promise.resolve(), random: () => 0 });
  const look = () => ({ fn: undefined, routed: undefined, versions: [], aliases: [] });
  let nowMs = 0;
  const parts = { objects, directory: { look }, nowMs: () => (nowMs += 500), sleep: () => Promise.resolve() };
  deps = parts as unknown as ApiDeps; // publishing needs no more
});

async function stored(): Promise<FunctionObject> {
  return kubernetes.get(functions, 'default', 'f');
}

async function publish(spec: object = {}, description: string | null = null): Promise<string> {
  kubernetes.set('functions', 'default', 'f', { spec: { ...functionSpec, ...spec } });
  return (await publishVersion(await stored(), code, description, deps)).spec.version;
}

const numbers = async () => (await publishedVersions(await stored(), deps)).map(({ spec }) => spec.version);

test('what has not changed since the newest version gets no number', async () => {
  expect(await publish()).toBe('1');
  expect(await publish()).toBe('1');
  expect(await publish({ memoryMiB: 256 })).toBe('2');
  expect(await publish()).toBe('3'); // as version 1, but not as the newest one
  expect(await numbers()).toEqual(['1', '2', '3']);
});

test('a number is not given twice: not after a deletion, not when the annotation was lost', async () => {
  await publish();
  await publish({ memoryMiB: 256 });
  await kubernetes.delete({ ...functions, plural: 'functionversions' }, 'default', 'f-v2');
  expect(await publish({ memoryMiB: 512 })).toBe('3');
  kubernetes.set('functions', 'default', 'f', { metadata: { annotations: {} } });
  expect(await publish({ memoryMiB: 1024 })).toBe('4');
});

test('a description is the version’s own', async () => {
  await publish({ description: 'of the function' }, 'of the version');
  const [version] = await publishedVersions(await stored(), deps);
  expect(version?.spec.description).toBe('of the version');
});

test('one that publishes the same at the same time is not raced for a number', async () => {
  const fn = await stored();
  let isFirst = true;
  kubernetes.beforeReplace = () => {
    if (!isFirst) return;
    isFirst = false;
    kubernetes.set('functions', 'default', 'f', { metadata: { annotations: { [lastVersionAnnotation]: '7' } } });
  };
  expect((await publishVersion(fn, code, null, deps)).spec.version).toBe('8');
});

test('a version of an earlier function of the same name is in nobody’s way', async () => {
  await publish();
  const [old] = await publishedVersions(await stored(), deps);
  await kubernetes.delete(functions, 'default', 'f');
  expect(old?.metadata.ownerReferences).toHaveLength(1);
  kubernetes.set('functions', 'default', 'f', { spec: functionSpec });
  expect(await numbers()).toEqual([]);
  expect(await publish()).toBe('1');
  expect(await numbers()).toEqual(['1']);
});
