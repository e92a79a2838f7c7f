import { environmentHas, isAlive, listProcesses, type ProcessId, type ProcessStat, sameProcess } from './proc.ts';

/** What belongs to one pod. */
export interface Tree {
  /** Text that every process of the pod has in its environment: the pod's uid (its directories' paths hold it). */
  readonly mark: string;
  /** The agent; null when it was never known. */
  readonly root: ProcessId | null;
  /** The pod's cgroup, when it has one: then membership is exact, whatever the processes did. */
  readonly group: { members(): readonly number[]; freeze(isFrozen: boolean): void } | null;
}

/** Rounds of look-and-kill at once; a fork bomb without a cgroup may outrun the first ones. */
const maxRounds = 50;

/**
 * Every live process of a pod, daemonised ones included.
 * With a cgroup: its members, and the agent, which joins an instant after its start. Without: descendants of the agent, its
 * session, and whoever inherited the pod's environment (survives setsid and a double fork; only a process that also cleared its
 * environment escapes). The environment is also searched when the agent was never known: it may not have joined yet.
 */
export function treeMembers(tree: Tree): readonly number[] {
  if (tree.group !== null && tree.root !== null) {
    const root = isAlive(tree.root) ? [tree.root.pid] : [];
    return [...new Set([...tree.group.members(), ...root])];
  }
  return [...new Set([...(tree.group?.members() ?? []), ...scanned(tree)])];
}

/**
 * Kills everything of a pod. Blocks for the scan only; the kernel takes the processes away a little later.
 *
 * @returns true when nothing is left; otherwise call again after a pause
 */
export function killTree(tree: Tree): boolean {
  if (treeMembers(tree).length === 0) return true;
  // Frozen members cannot fork, so one round finds all of them; they die when they are thawed.
  tree.group?.freeze(true);
  killMembers(tree);
  tree.group?.freeze(false);
  return treeMembers(tree).length === 0;
}

/**
 * Kills a tree and waits until the kernel has taken the last process away.
 *
 * @param sleep pause between two looks
 * @returns false when something was still there after about 5 s (a process in uninterruptible sleep)
 */
export async function endTree(tree: Tree, sleep: (ms: number) => Promise<unknown>): Promise<boolean> {
  for (let pauseMs = 2, waitedMs = 0; waitedMs < 5000; pauseMs = Math.min(pauseMs * 2, 100)) {
    if (killTree(tree)) return true;
    await sleep(pauseMs);
    waitedMs += pauseMs;
  }
  return killTree(tree);
}

/** Sends a signal; false when the process is gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Until a look finds nobody new. */
function killMembers(tree: Tree): void {
  const killed = new Set<number>();
  for (let round = 0; round < maxRounds; round += 1) {
    const found = treeMembers(tree).filter((pid) => !killed.has(pid));
    if (found.length === 0) return;
    for (const pid of found) signal(pid, 'SIGKILL');
    for (const pid of found) killed.add(pid);
  }
}

function scanned(tree: Tree): ReadonlySet<number> {
  const running = listProcesses().filter((stat) => stat.state !== 'Z' && stat.pid !== process.pid);
  const found = descendants(running, tree.root);
  for (const stat of running) {
    const isInSession = tree.root !== null && found.has(tree.root.pid) && stat.session === tree.root.pid;
    if (!found.has(stat.pid) && (isInSession || environmentHas(stat.pid, tree.mark))) found.add(stat.pid);
  }
  return found;
}

function descendants(running: readonly ProcessStat[], root: ProcessId | null): Set<number> {
  const found = new Set<number>();
  if (root === null || sameProcess(root) === null) return found;
  const children = Map.groupBy(running, (stat) => stat.parent);
  const queue = [root.pid];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    found.add(pid);
    queue.push(...(children.get(pid) ?? []).map((stat) => stat.pid));
  }
  return found;
}
