import { readdirSync, readFileSync } from 'node:fs';

/** What tells one process from every other, also from a later one that got the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Start time in clock ticks since boot, as /proc prints it. */
  readonly startTicks: string;
  /** The boot that `startTicks` counts from. */
  readonly bootId: string;
}

/** One line of /proc/PID/stat, as far as it is used here. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** R, S, D, T, Z … */
  readonly state: string;
  readonly startTicks: string;
  /** Raw wait status; only meaningful for a zombie. */
  readonly waitStatus: number;
}

/**
 * Parses /proc/PID/stat. The command's name is free text in brackets, so fields are counted from the last bracket.
 *
 * @throws Error when the text is not a stat line
 * @see proc_pid_stat(5)
 */
export function parseStat(text: string): ProcessStat {
  const end = text.lastIndexOf(')');
  const fields = text
    .slice(end + 2)
    .trimEnd()
    .split(' ');
  const [state, parent] = fields;
  const startTicks = fields[19];
  if (end < 0 || state === undefined || parent === undefined || startTicks === undefined) {
    throw new Error(`not a process stat line: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(parent),
    session: Number(fields[3]),
    state,
    startTicks,
    waitStatus: Number(fields[49] ?? 0),
  };
}

/** The process with this number now, or null when there is none. */
export function readProcess(pid: number): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

/** The identity of a live process, or null when it is gone already. */
export function identify(pid: number): ProcessId | null {
  const stat = readProcess(pid);
  return stat === null ? null : { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** True while exactly that process runs; a zombie does not run any more. */
export function isAlive(id: ProcessId): boolean {
  const stat = sameProcess(id);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}

/** The stat of exactly that process, zombie or not; null when it is gone or the number was reused. */
export function sameProcess(id: ProcessId): ProcessStat | null {
  const stat = readProcess(id.pid);
  return stat !== null && stat.startTicks === id.startTicks && id.bootId === bootId() ? stat : null;
}

/** All processes this user can see. Takes about 10 µs per process. */
export function listProcesses(): readonly ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((stat) => stat !== null);
}

/** True when the process was started with `text` somewhere in its environment; false for another user's process. */
export function environmentHas(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
  } catch {
    return false;
  }
}

let cachedBootId: string | undefined;

/** A random text that is different after each boot. */
export function bootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return cachedBootId;
}
