import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeFindInterpreter } from './interpreters.ts';
import { findLocalRuntimes, isVersionOf, lacksOf, readRuntimes } from './runtimes.ts';

const folder = join(import.meta.dirname, '../../../runtime-images');

test('every runtime of runtimes.yaml is read, with the bootstrap’s file found', () => {
  const entries = readRuntimes(folder);
  expect(entries.map((entry) => entry.id)).toEqual(expect.arrayContaining(['nodejs24.x', 'python3.13']));
  for (const entry of entries.filter(({ interpreters }) => interpreters.length > 0)) {
    expect(entry.freshProcess.length).toBeGreaterThan(0);
    const files = entry.bootstrap.filter((argument) => argument.startsWith(join(folder, entry.family)));
    expect(files).toHaveLength(1);
  }
});

test.each([
  ['24.1.0', '24', true],
  ['3.11.7', '3.11', true],
  ['3.1.7', '3.11', false],
  ['3.110.1', '3.11', false],
])('%s is a version of %s: %p', (version, wanted, is) => {
  expect(isVersionOf(version, wanted)).toBe(is);
});

test('the exact version wins; else the next newer stands in, or the newest; without any the runtime is left out', async () => {
  const base = { family: 'f', image: 'i', bootstrap: [], freshProcess: [] };
  const entry = (id: string, interpreters: string[]) => ({ ...base, id, version: id, interpreters });
  const versions = new Map([
    ['a', ['3.9.1', '3.13.0']],
    ['b', ['3.11.7']],
  ]);
  const find = async (name: string) => (versions.get(name) ?? []).map((version) => ({ path: `/${version}`, version }));
  const entries = [
    entry('3.11', ['a', 'b']),
    entry('3.14', ['a', 'b']),
    entry('3.10', ['a', 'b']),
    entry('3.9', ['none']),
    entry('brought', []),
  ];
  const found = await findLocalRuntimes(entries, find);
  expect(found.map(({ interpreter, isExact }) => `${interpreter?.path} ${isExact}`)).toEqual([
    '/3.11.7 true',
    '/3.13.0 false',
    '/3.11.7 false',
    'undefined true',
  ]);
});

test('the pinned Node is found as what it is, and a word that no program answers to is not', async () => {
  const find = makeFindInterpreter('/nowhere', process.execPath);
  expect(await find('pinned')).toEqual([{ path: process.execPath, version: process.versions.node }]);
  expect(await find('no-such-interpreter')).toEqual([]);
});

test('what a language lacks is said once: its program, or what make setup builds', async () => {
  const base = { version: '1', image: 'i', bootstrap: [], freshProcess: [] };
  const entries = [
    { ...base, id: 'a1', family: 'a', interpreters: ['a1', 'a'] },
    { ...base, id: 'a2', family: 'a', interpreters: ['a2', 'a'] },
    { ...base, id: 'b1', family: 'b', interpreters: ['b'], bootstrap: ['/nowhere/client.jar'] },
    { ...base, id: 'own', family: 'own', interpreters: [] },
  ];
  const found = await findLocalRuntimes(entries, async () => []);
  expect(lacksOf(entries, found)).toEqual([
    'a: no program a1 or a or a2 on PATH',
    'b: make setup could not build its client',
  ]);
});
