import type { Cgroups } from './cgroups.ts';
import { endTree, signal, type Tree } from './kill-tree.ts';
import { readRecords } from './pod-record.ts';
import { isAlive } from './proc.ts';

/**
 * Ends every pod of a state directory, without a node or an API: what a supervisor does when it stops, and when it finds what a
 * killed one left behind. Asks the agents first, kills whole trees after `graceMs`. The records stay: the next node reports the ends.
 *
 * @returns how many pods were running
 */
export async function endAllPods(
  stateDir: string,
  cgroups: Cgroups | null,
  clock: { now(): number; sleep(ms: number): Promise<unknown> },
  graceMs: number,
): Promise<number> {
  const trees: Tree[] = [...readRecords(stateDir)].map(([uid, record]) => ({
    mark: uid,
    root: record?.process ?? null,
    group: cgroups !== null && record?.hasGroup !== false ? cgroups.group(uid, null) : null,
  }));
  const running = () => trees.filter((tree) => tree.root !== null && isAlive(tree.root));
  const asked = running();
  for (const tree of asked) if (tree.root !== null) signal(tree.root.pid, 'SIGTERM');
  const deadlineMs = clock.now() + graceMs;
  while (running().length > 0 && clock.now() < deadlineMs) await clock.sleep(10);
  await Promise.all(trees.map((tree) => endTree(tree, clock.sleep)));
  // The kernel may hold a group for an instant after its last process has gone.
  for (let tries = 0; tries < 50 && cgroups?.remove() === false; tries += 1) await clock.sleep(20);
  return asked.length;
}
