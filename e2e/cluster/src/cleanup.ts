import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Cgroups } from './cgroups.ts';
import { deleteNetwork } from './network.ts';
import { controlName } from './plan.ts';
import { Processes } from './processes.ts';
import { run } from './run.ts';

/** Prefix of every node's network namespace and cgroup. */
const nodePrefix = 'kappa-node-';

/**
 * Ends every process of the cluster, and removes its namespaces, mounts, cgroups and files. Works from what is there,
 * not from what should be: so also after a killed start. Does nothing where there is nothing.
 */
export async function removeTraces(runDir: string): Promise<void> {
  const cgroups = new Cgroups();
  const processes = new Processes(runDir, cgroups);
  const groups = findGroups();
  for (const name of processes.names()) processes.kill(name);
  for (const group of [...groups, controlName]) await cgroups.kill(group);
  for (const path of findMounts(readFileSync('/proc/mounts', 'utf8'), runDir)) await run(['umount', '--lazy', path]);
  await deleteNetwork(groups);
  for (const group of [...groups, controlName]) cgroups.remove(group);
  rmSync(runDir, { recursive: true, force: true });
}

/** Mount points below the directory in the text of /proc/mounts, the latest first. */
export function findMounts(mounts: string, directory: string): readonly string[] {
  const paths = mounts.split('\n').map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '));
  return paths.filter((path) => path.startsWith(`${directory}/`)).reverse();
}

function findGroups(): readonly string[] {
  const places = ['/run/netns', '/sys/fs/cgroup', ...listDirectories('/sys/fs/cgroup')];
  const names = places.filter((place) => existsSync(place)).flatMap((place) => readdirSync(place));
  return [...new Set(names.filter((name) => name.startsWith(nodePrefix)))];
}

function listDirectories(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
}
