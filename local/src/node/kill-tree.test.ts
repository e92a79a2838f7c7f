import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PodGroup } from './cgroups.ts';
import { endTree, treeMembers } from './kill-tree.ts';
import { type Launched, launch } from './launch.ts';
import { readProcess } from './proc.ts';
import { eventually, machineCgroups, makeFolder, realClock } from './testing.ts';

const cgroups = machineCgroups(`kappa-test-${process.pid}`);
let folder: ReturnType<typeof makeFolder>;
let group: PodGroup | null = null;

beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => {
  group?.remove();
  cgroups?.remove();
  folder.remove();
});

/**
 * A process that daemonises by the book (fork, setsid, fork; the parent ends), writes its number to FILE, ignores SIGTERM,
 * and a plain child beside it. `clears` also throws the environment away: then only a control group holds it.
 */
const daemon = (clears: boolean) => `
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("FILE", "w").write(str(os.getpid()) + "\\n")
        ${clears ? 'os.execve("/bin/sleep", ["sleep", "60"], {})' : 'time.sleep(60)'}
    os._exit(0)
os.wait()
time.sleep(60)
`;

const uid = 'b0d5a9de-0000-4000-8000-00000000beef';

async function start(isGrouped: boolean, clears: boolean): Promise<{ launched: Launched; daemonPid: number }> {
  group = isGrouped ? (cgroups?.group(uid, { memoryBytes: 256 * 1024 * 1024, processes: 64 }) ?? null) : null;
  const file = join(folder.path, 'daemon.pid');
  const launched = await launch({
    command: ['/usr/bin/python3', '-c', daemon(clears).replace('FILE', file)],
    environment: { KAPPA_POD_UID: uid },
    folder: folder.path,
    logFile: join(folder.path, 'log'),
    procsFiles: group?.procsFiles ?? [],
  });
  const daemonPid = await eventually('daemon', () => Number(readQuietly(file).trim()) || null);
  await eventually('daemon is nobody’s child any more', () => readProcess(daemonPid)?.parent !== launched.id.pid);
  return { launched, daemonPid };
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const runs = (pid: number) => !['Z', undefined].includes(readProcess(pid)?.state);

test('without a control group a daemonised process is found by its environment and killed with the rest', async () => {
  const { launched, daemonPid } = await start(false, false);
  const tree = { mark: uid, root: launched.id, group: null };
  expect([...treeMembers(tree)]).toEqual(expect.arrayContaining([launched.id.pid, daemonPid]));
  expect(await endTree(tree, realClock.sleep)).toBe(true);
  await eventually('daemon is gone', () => !runs(daemonPid));
  expect(await launched.ended).toEqual({ code: null, signal: 'SIGKILL' });
});

test('the daemon is also found when the agent is dead already', async () => {
  const { launched, daemonPid } = await start(false, false);
  process.kill(launched.id.pid, 'SIGKILL');
  await launched.ended;
  expect(await endTree({ mark: uid, root: launched.id, group: null }, realClock.sleep)).toBe(true);
  await eventually('daemon is gone', () => !runs(daemonPid));
});

// A machine without usable control groups has nothing to hold here: there the agent is told to watch the memory itself.
const describeGroups = cgroups === null ? () => {} : describe;

describeGroups('with control groups', () => {
  test('nothing escapes, not even without an environment', async () => {
    const { launched, daemonPid } = await start(true, true);
    expect([...(group?.members() ?? [])].sort()).toEqual([launched.id.pid, daemonPid].sort());
    expect(await endTree({ mark: uid, root: launched.id, group }, realClock.sleep)).toBe(true);
    expect(runs(daemonPid)).toBe(false);
    expect(group?.members()).toEqual([]);
    expect(group?.remove()).toBe(true);
  });

  test('an agent that has not joined its group yet is killed too', async () => {
    group = cgroups?.group(uid, { memoryBytes: null, processes: 64 }) ?? null;
    const launched = await launch({
      command: ['/bin/sleep', '60'],
      environment: {},
      folder: folder.path,
      logFile: join(folder.path, 'log'),
      procsFiles: [],
    });
    expect(group?.members()).toEqual([]);
    expect(await endTree({ mark: uid, root: launched.id, group }, realClock.sleep)).toBe(true);
    expect(await launched.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('a process above its memory is killed and counted', async () => {
    group = cgroups?.group(uid, { memoryBytes: 24 * 1024 * 1024, processes: 64 }) ?? null;
    const launched = await launch({
      command: ['/usr/bin/python3', '-c', 'x = bytearray(64 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1'],
      environment: {},
      folder: folder.path,
      logFile: join(folder.path, 'log'),
      procsFiles: group?.procsFiles ?? [],
    });
    expect(await launched.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(group?.oomKills()).toBeGreaterThan(0);
  });
});
