import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One pod's control group: limits, exact membership, out-of-memory count. Methods block for microseconds. */
export interface PodGroup {
  /** A process joins by writing its number into each of these files. */
  readonly procsFiles: readonly string[];
  /** @throws Error when the kernel refuses (lower than what is used and cannot be reclaimed) */
  setMemory(bytes: number): void;
  /** Processes that the kernel killed in this group for want of memory, since it was made. */
  oomKills(): number;
  members(): readonly number[];
  /** Stops or resumes all members; does nothing where the kernel has no freezer for this group. */
  freeze(isFrozen: boolean): void;
  /** Removes the group; false when processes are still in it. */
  remove(): boolean;
}

/** The groups of one install. */
export interface Cgroups {
  readonly version: 1 | 2;
  /** Makes (or finds again) the pod's group, with its limits. */
  group(uid: string, limits: { readonly memoryBytes: number | null; readonly processes: number } | null): PodGroup;
  /** Removes the install's own group; false when something is left in it. */
  remove(): boolean;
}

/**
 * The best memory controller that can be used: cgroup v1 (memory, with pids and freezer when there are), else cgroup v2.
 * Tried for real with a process that joins a group, because being root or seeing the files proves nothing in a container.
 *
 * @param name folder name of this install's groups, unique on the machine
 * @param mounts text of /proc/mounts
 * @returns null when none can be used: somebody else has to watch the memory then
 */
export function findCgroups(name: string, mounts: string, ownGroups: string): Cgroups | null {
  const entries = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, path = '', type = '', options = '']) => ({ path, type, options: options.split(',') }));
  const v1 = (controller: string) =>
    entries.find((entry) => entry.type === 'cgroup' && entry.options.includes(controller))?.path;
  const memory = v1('memory');
  if (memory !== undefined) {
    const others = [v1('pids'), v1('freezer')]
      .filter((path) => path !== undefined)
      .filter((path) => canMake(path, name));
    const roots = [memory, ...others].map((path) => join(path, name));
    const found = makeCgroups(1, roots);
    if (isUsable(found)) return found;
  }
  const unified = entries.find((entry) => entry.type === 'cgroup2')?.path;
  if (unified === undefined) return null;
  return (
    v2Candidates(unified, ownGroups)
      .filter((parent) => delegatesMemory(parent))
      .map((parent) => makeCgroups(2, [join(parent, name)]))
      .find(isUsable) ?? null
  );
}

/** From the mount's root down to the own group: the highest place that may be written is tried first. */
function v2Candidates(mount: string, ownGroups: string): string[] {
  const own =
    ownGroups
      .split('\n')
      .find((line) => line.startsWith('0::'))
      ?.slice(3) ?? '/';
  const paths: string[] = [];
  for (let path = own; path !== '/' && path !== '.'; path = dirname(path)) paths.unshift(join(mount, path));
  return [mount, ...paths];
}

function delegatesMemory(parent: string): boolean {
  const listed = (file: string) => read(join(parent, file)).split(/\s+/);
  if (listed('cgroup.subtree_control').includes('memory')) return true;
  if (!listed('cgroup.controllers').includes('memory')) return false;
  return (
    write(join(parent, 'cgroup.subtree_control'), '+memory') && write(join(parent, 'cgroup.subtree_control'), '+pids')
  );
}

function makeCgroups(version: 1 | 2, roots: readonly string[]): Cgroups {
  const prepare = () => {
    for (const root of roots) makeFolder(root);
    // One at a time: the kernel takes none of several when it knows one of them not.
    for (const root of version === 2 ? roots : []) {
      for (const controller of ['+memory', '+pids']) write(join(root, 'cgroup.subtree_control'), controller);
    }
  };
  return {
    version,
    group(uid, limits) {
      prepare();
      const folders = roots.map((root) => join(root, uid));
      for (const folder of folders) makeFolder(folder);
      const group = version === 1 ? v1Group(folders) : v2Group(folders);
      if (limits !== null) {
        for (const folder of folders) write(join(folder, 'pids.max'), String(limits.processes));
        if (limits.memoryBytes !== null) group.setMemory(limits.memoryBytes);
      }
      return group;
    },
    remove: () => roots.map(removeFolder).every((isGone) => isGone),
  };
}

function v1Group(folders: readonly string[]): PodGroup {
  const [memory = ''] = folders;
  const frozen = folders.map((folder) => join(folder, 'freezer.state')).find((file) => existsSync(file));
  const limit = join(memory, 'memory.limit_in_bytes');
  const withSwap = join(memory, 'memory.memsw.limit_in_bytes');
  return {
    ...commonGroup(folders),
    setMemory(bytes) {
      // Memory may never be above memory + swap, so the order depends on the direction.
      const files = bytes > Number(read(limit)) ? [withSwap, limit] : [limit, withSwap];
      for (const file of files) if (existsSync(file)) writeFileSync(file, String(bytes));
    },
    oomKills: () => counter(read(join(memory, 'memory.oom_control')), 'oom_kill'),
    freeze(isFrozen) {
      if (frozen !== undefined) write(frozen, isFrozen ? 'FROZEN' : 'THAWED');
    },
  };
}

function v2Group(folders: readonly string[]): PodGroup {
  const [folder = ''] = folders;
  return {
    ...commonGroup(folders),
    setMemory(bytes) {
      writeFileSync(join(folder, 'memory.max'), String(bytes));
      write(join(folder, 'memory.swap.max'), '0');
    },
    oomKills: () => counter(read(join(folder, 'memory.events')), 'oom_kill'),
    freeze(isFrozen) {
      write(join(folder, 'cgroup.freeze'), isFrozen ? '1' : '0');
    },
  };
}

function commonGroup(folders: readonly string[]): Pick<PodGroup, 'procsFiles' | 'members' | 'remove'> {
  const procsFiles = folders.map((folder) => join(folder, 'cgroup.procs'));
  return {
    procsFiles,
    members() {
      // A process that joined only some of the hierarchies (killed half-way) still counts.
      const pids = procsFiles.flatMap((file) => read(file).split('\n'));
      return [...new Set(pids.filter((pid) => pid !== '').map(Number))];
    },
    remove: () => folders.map(removeFolder).every((isGone) => isGone),
  };
}

function isUsable(cgroups: Cgroups): boolean {
  const uid = `trial-${process.pid}`;
  try {
    const group = cgroups.group(uid, { memoryBytes: 64 * 1024 * 1024, processes: 16 });
    const join = spawnSync('/bin/sh', ['-c', 'for f; do echo $$ >"$f" || exit 1; done', 'sh', ...group.procsFiles]);
    group.remove();
    return join.status === 0;
  } catch {
    return false;
  }
}

function canMake(path: string, name: string): boolean {
  try {
    makeFolder(join(path, name));
    return true;
  } catch {
    return false;
  }
}

/** Not recursive: Node's recursive mkdir never ends where the kernel answers ENOENT below an existing folder, as in /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** Removes a group and the groups in it; false while one of them has members. */
function removeFolder(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeFolder(join(folder, entry.name));
    }
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

function counter(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function write(file: string, text: string): boolean {
  if (!existsSync(file)) return false;
  try {
    writeFileSync(file, text);
    return true;
  } catch {
    return false;
  }
}
