import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findCgroups } from './cgroups.ts';
import { makeFolder } from './testing.ts';

/** A folder stands in for a mount: a group is a folder with files there and here. */
let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder.remove());

function mount(name: string, files: Record<string, string> = {}): string {
  const path = join(folder.path, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

const limits = { memoryBytes: 64 * 1024 * 1024, processes: 10 };

test('version 1 is taken where it has the memory, with the other controllers that can be written', () => {
  const [memory, pids, unified] = [mount('memory'), mount('pids'), mount('unified')];
  const mounts = [
    `cgroup ${memory} cgroup rw,memory 0 0`,
    `cgroup ${pids} cgroup rw,pids 0 0`,
    'cgroup /proc/none cgroup rw,freezer 0 0',
    `cgroup2 ${unified} cgroup2 rw 0 0`,
  ].join('\n');
  const found = findCgroups('kappa-x', mounts, '0::/');
  expect(found?.version).toBe(1);
  expect(found?.group('uid', null).procsFiles).toEqual(
    [memory, pids].map((path) => join(path, 'kappa-x/uid/cgroup.procs')),
  );
});

test('version 2 is taken at the highest place that gives the memory away', () => {
  mount('unified/user.slice', { 'cgroup.subtree_control': 'pids', 'cgroup.controllers': 'pids' });
  const given = mount('unified/user.slice/app', { 'cgroup.subtree_control': 'memory pids' });
  const own = '0::/user.slice/app/terminal';
  const found = findCgroups('kappa-x', `cgroup2 ${join(folder.path, 'unified')} cgroup2 rw 0 0`, own);
  expect(found?.version).toBe(2);
  const group = found?.group('uid', limits);
  expect(group?.procsFiles).toEqual([join(given, 'kappa-x/uid/cgroup.procs')]);
  expect(readFileSync(join(given, 'kappa-x/uid/memory.max'), 'utf8')).toBe('67108864');
  writeFileSync(join(given, 'kappa-x/uid/memory.events'), 'low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\n');
  expect(group?.oomKills()).toBe(3);
  writeFileSync(join(given, 'kappa-x/uid/cgroup.procs'), '7\n8\n');
  expect(group?.members()).toEqual([7, 8]);
});

test.each([
  ['nothing is mounted', () => ''],
  ['nobody gives the memory away', () => `cgroup2 ${mount('unified')} cgroup2 rw 0 0`],
  ['nothing can be written', () => 'cgroup /proc/none cgroup rw,memory 0 0'],
])('there are no control groups when %s', (_reason, mounts) => {
  expect(findCgroups('kappa-x', mounts(), '0::/')).toBeNull();
});
