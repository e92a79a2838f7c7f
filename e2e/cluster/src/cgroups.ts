import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the machine's cgroups are mounted. */
export interface CgroupMounts {
  /** True: one hierarchy for all (v2). False: one per controller (v1). */
  readonly isUnified: boolean;
  readonly paths: readonly string[];
  /** Also the v2 hierarchy of a hybrid machine, in which runc makes groups without a use. */
  readonly everyPath: readonly string[];
}

/** Finds the cgroup mounts in the text of /proc/mounts; on a hybrid machine the v1 hierarchies are the ones in use. */
export function parseCgroupMounts(mounts: string): CgroupMounts {
  const rows = mounts.split('\n').map((line) => line.split(' '));
  const pathsOf = (type: string): string[] => rows.filter((row) => row[2] === type).map((row) => row[1] ?? '');
  const old = pathsOf('cgroup');
  const unified = pathsOf('cgroup2').slice(0, 1);
  return { isUnified: old.length === 0, paths: old.length > 0 ? old : unified, everyPath: [...old, ...unified] };
}

/**
 * The processes of a node (or of the control plane) as a whole. Everything that a group's programs start, containers
 * included, is below the group, so that one can freeze or kill all of it without knowing each.
 */
export class Cgroups {
  readonly #mounts: CgroupMounts;

  constructor(mounts: CgroupMounts = parseCgroupMounts(readFileSync('/proc/mounts', 'utf8'))) {
    this.#mounts = mounts;
  }

  /** Makes the group and `<group>/host` (for the programs outside containers) in every hierarchy. */
  make(group: string): void {
    for (const mount of this.#mounts.paths) {
      for (const path of [join(mount, group), join(mount, group, 'host')]) {
        mkdirSync(path, { recursive: true });
        for (const file of ['cpuset.cpus', 'cpuset.mems']) copyIfEmpty(join(path, '..', file), join(path, file));
      }
      if (this.#mounts.isUnified) for (const path of [mount, join(mount, group)]) delegate(path);
    }
  }

  /** Files to write a pid to, so that it joins the group's own programs. */
  joinFiles(group: string): readonly string[] {
    return this.#mounts.paths.map((mount) => join(mount, group, 'host', 'cgroup.procs'));
  }

  /** Pids of every process below the group. */
  members(group: string): readonly number[] {
    const found = new Set<number>();
    for (const directory of this.#mounts.paths.flatMap((mount) => tree(join(mount, group)))) {
      for (const pid of readOrEmpty(join(directory, 'cgroup.procs')).split('\n')) if (pid) found.add(Number(pid));
    }
    return [...found];
  }

  /** Stops (or lets go on) every process below the group at once, like SIGSTOP; nothing can tell it from a hung machine. */
  freeze(group: string, isFrozen: boolean): void {
    for (const mount of this.#mounts.paths) {
      const old = join(mount, group, 'freezer.state');
      const unified = join(mount, group, 'cgroup.freeze');
      if (existsSync(old)) writeFileSync(old, isFrozen ? 'FROZEN' : 'THAWED');
      if (existsSync(unified)) writeFileSync(unified, isFrozen ? '1' : '0');
    }
  }

  /** SIGKILL to every process below the group until none is left. Throws after 10 s. */
  async kill(group: string): Promise<void> {
    this.freeze(group, false); // a frozen process would die only later
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const pids = this.members(group).filter((pid) => pid !== process.pid);
      if (pids.length === 0) return;
      for (const pid of pids) killQuietly(pid);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`processes of ${group} do not die: ${this.members(group).join(' ')}`);
  }

  /** Removes the empty group from every hierarchy, also what runc left in the hybrid one. */
  remove(group: string): void {
    for (const directory of this.#mounts.everyPath.flatMap((mount) => tree(join(mount, group))))
      rmdirQuietly(directory);
  }
}

/** The directory and all below it, the deepest first; without what goes while it is looked at. */
function tree(directory: string): readonly string[] {
  const inner = foldersIn(directory).flatMap((name) => tree(join(directory, name)));
  return existsSync(directory) ? [...inner, directory] : inner;
}

function foldersIn(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return []; // gone meanwhile
  }
}

function copyIfEmpty(source: string, target: string): void {
  if (!existsSync(source) || !existsSync(target) || readOrEmpty(target).trim() !== '') return;
  const value = readOrEmpty(source).trim();
  if (value !== '') writeFileSync(target, value);
}

function delegate(path: string): void {
  for (const controller of readOrEmpty(join(path, 'cgroup.controllers')).trim().split(' ')) {
    try {
      writeFileSync(join(path, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // not every controller can be handed down; the kubelet says which it misses
    }
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

/** SIGKILL; a process that has ended is no error. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // has ended meanwhile
  }
}

function rmdirQuietly(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // the kernel removes a group some ms after its last process; the next `up` or `down` tries again
  }
}
