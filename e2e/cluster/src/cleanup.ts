import { readFileSync, rmSync } from 'node:fs';
import { Cgroups, killQuietly } from './cgroups.ts';
import { deleteNetwork } from './network.ts';
import { controlName } from './plan.ts';
import { Processes } from './processes.ts';
import { run } from './run.ts';
import { findGroups, findMounts, listTraces, processesIn } from './traces.ts';

/** The kernel removes a group or a namespace some ms after its last process. */
const patienceMs = 10_000;

/**
 * Ends every process of the cluster, and removes its namespaces, mounts, cgroups and files. Works from what is there,
 * not from what should be: so also after a killed start, and with specs whose runner was killed. Does nothing where there is nothing.
 *
 * @throws Error that lists what could not be removed
 */
export async function removeTraces(runDir: string): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    await removeOnce(runDir);
    const traces = await listTraces(runDir);
    if (traces.length === 0) return;
    if (performance.now() - startMs > patienceMs) throw new Error(`left behind: ${traces.join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function removeOnce(runDir: string): Promise<void> {
  const cgroups = new Cgroups();
  const processes = new Processes(runDir, cgroups);
  const groups = [...new Set([...findGroups(), controlName])];
  for (const name of processes.names()) processes.kill(name);
  for (const group of groups) await cgroups.kill(group);
  for (const pid of processesIn(groups)) killQuietly(pid); // load generators and specs: they are in no group
  for (const path of findMounts(readFileSync('/proc/mounts', 'utf8'), runDir)) await run(['umount', '--lazy', path]);
  await deleteNetwork(groups);
  for (const group of groups) cgroups.remove(group);
  rmSync(runDir, { recursive: true, force: true });
}
