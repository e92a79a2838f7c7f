import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Database } from './database.ts';
import { parseObject } from './object.ts';
import { Store } from './store.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kappa-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const object = (name: string, value = 1) =>
  parseObject({ apiVersion: 'v1', kind: 'X', metadata: { name, namespace: 'n' }, value });

test('objects and the version counter survive a restart, deletions too', () => {
  const path = join(directory, 'api.sqlite');
  const database = new Database(path);
  const store = new Store(database);
  store.put('xs', object('kept'));
  store.put('xs', object('kept', 2));
  store.put('xs', object('gone'));
  store.remove('xs', 'n', 'gone');
  const { version } = store;
  database.close();
  const again = new Store(new Database(path));
  expect(again.version).toBe(version);
  expect(again.get('xs', 'n', 'kept')).toMatchObject({ value: 2 });
  expect(again.get('xs', 'n', 'gone')).toBeUndefined();
  expect(Number(again.put('xs', object('new')).metadata.resourceVersion)).toBe(version + 1);
});

test('a second server on the same file is refused', () => {
  const path = join(directory, 'api.sqlite');
  const first = new Database(path);
  expect(() => new Database(path)).toThrow(/another embedded API/);
  first.close();
});

test('each write has a greater version than all before, over all resources', () => {
  const store = new Store(new Database(':memory:'));
  const versions = [store.put('xs', object('a')), store.put('ys', object('a')), store.put('xs', object('a', 2))];
  const numbers = versions.map(({ metadata }) => Number(metadata.resourceVersion));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(3);
});

test('the last state of a deleted object has the version of its deletion', () => {
  const store = new Store(new Database(':memory:'));
  store.put('xs', object('a'));
  expect(store.remove('xs', 'n', 'a')?.metadata.resourceVersion).toBe(String(store.version));
  expect(store.remove('xs', 'n', 'a')).toBeUndefined();
});

test('a resource that nobody wrote has a complete history since the start', () => {
  const store = new Store(new Database(':memory:'));
  store.forgetHistory();
  const start = store.version;
  store.put('xs', object('a'));
  expect(store.history('ys').positionAfter(start)).toBe(0);
  expect(store.history('ys').positionAfter(start - 1)).toBeNull();
});
