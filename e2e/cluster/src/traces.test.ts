import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findMounts, listTraces, orphansOf } from './traces.ts';

test('mounts below the directory are found, inner ones first, and no namesake', () => {
  const mounts =
    'a /run/x ext4 rw 0 0\nb /run/x/a tmpfs rw 0 0\nc /run/x/a/b\\040c tmpfs rw 0 0\nd /run/xy/a tmpfs rw 0 0\n';
  expect(findMounts(mounts, '/run/x')).toEqual(['/run/x/a/b c', '/run/x/a']);
});

test('the state of a cluster is a trace of it', async () => {
  const runDir = mkdtempSync(join(tmpdir(), 'kappa-traces-'));
  expect(await listTraces(runDir)).toContain(`directory ${runDir}`);
  rmSync(runDir, { recursive: true });
  expect(await listTraces(runDir)).not.toContain(`directory ${runDir}`);
});

test('a process is an orphan when the topmost one of its kind has no parent left', () => {
  const parents = new Map([
    [10, 1],
    [11, 10],
    [12, 11],
    [20, 5],
    [21, 20],
  ]);
  expect(orphansOf([10, 11, 12, 20, 21], (pid) => parents.get(pid) ?? 0)).toEqual([10, 11, 12]);
});
