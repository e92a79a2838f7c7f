import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { controlName } from './plan.ts';
import { run } from './run.ts';

/** Prefix of every node's network namespace and cgroup. */
const nodePrefix = 'kappa-node-';

/** Names of the control plane's and the nodes' groups, as far as anything of them is there. */
export function findGroups(): readonly string[] {
  const names = ['/run/netns', ...cgroupRoots()].flatMap(listNames);
  return [...new Set(names.filter(isOurs))];
}

/** Mount points below the directory in the text of /proc/mounts, the latest first. */
export function findMounts(mounts: string, directory: string): readonly string[] {
  const paths = mounts.split('\n').map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '));
  return paths.filter((path) => path.startsWith(`${directory}/`)).reverse();
}

/** Pids of the processes in the named network namespaces, but this one and who has started it. */
export function processesIn(namespaces: readonly string[]): readonly number[] {
  const places = namespaces.map((name) => `/run/netns/${name}`).filter((path) => existsSync(path));
  const inodes = new Set(places.map((path) => `net:[${statSync(path).ino}]`));
  const own = ancestors(process.pid);
  return listNames('/proc')
    .filter((name) => /^\d+$/.test(name) && inodes.has(readLink(`/proc/${name}/ns/net`)))
    .map(Number)
    .filter((pid) => !own.has(pid));
}

/** Those of the processes that nobody outside of them waits for any more: their starter was killed. */
export function orphansOf(pids: readonly number[], parent: (pid: number) => number = parentOf): readonly number[] {
  const members = new Set(pids);
  const topOf = (pid: number): number => (members.has(parent(pid)) ? topOf(parent(pid)) : pid);
  return pids.filter((pid) => parent(topOf(pid)) <= 1);
}

/** What of a cluster is on this machine, one line each: nothing may be left after its end. */
export async function listTraces(runDir: string): Promise<readonly string[]> {
  const groups = findGroups();
  const cgroups = cgroupRoots().flatMap((root) =>
    listNames(root)
      .filter(isOurs)
      .map((name) => join(root, name)),
  );
  const links = listNames('/sys/class/net').filter((name) => /^to-[a-z]\d$/.test(name));
  const loops = listNames('/sys/block').filter((name) =>
    readText(`/sys/block/${name}/loop/backing_file`).startsWith(runDir),
  );
  const tables = (await run(['nft', 'list', 'tables']).catch(() => null))?.stdout ?? '';
  return [
    ...processesIn(groups).map((pid) => `process ${pid} in a network namespace of it`),
    ...listNames('/run/netns')
      .filter(isOurs)
      .map((name) => `network namespace ${name}`),
    ...findMounts(readText('/proc/mounts'), runDir).map((path) => `mount ${path}`),
    ...cgroups.map((path) => `cgroup ${path}`),
    ...links.map((name) => `network device ${name}`),
    ...loops.map((name) => `loop device ${name}`),
    ...tables
      .split('\n')
      .filter((line) => line.includes('kappa'))
      .map((line) => `packet filter ${line}`),
    ...(existsSync(runDir) ? [`directory ${runDir}`] : []),
  ];
}

function isOurs(name: string): boolean {
  return name === controlName || name.startsWith(nodePrefix);
}

/** Where groups can be: the one hierarchy, or one folder per controller. */
function cgroupRoots(): readonly string[] {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [root, ...folders.filter(({ name }) => !isOurs(name)).map(({ name }) => join(root, name))];
}

function ancestors(pid: number): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = pid; at > 1 && !found.has(at); at = parentOf(at)) found.add(at);
  return found;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0);
}

function listNames(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile, or no such thing
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // the process has ended
  }
}
