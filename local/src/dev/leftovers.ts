import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endAllPods } from '../node/end-all-pods.ts';
import { cgroupsOf } from '../node/install.ts';
import { signal } from '../node/kill-tree.ts';
import { isAlive, type ProcessId } from '../node/proc.ts';

type Clock = { now(): number; sleep(ms: number): Promise<unknown> };

/** The processes of a platform on disk, so that the next supervisor finds those that a killed one left behind. */
export interface PartRecords {
  /** Notes the process of a part; null when it has none. */
  set(name: string, id: ProcessId | null): void;
  /** Everything has ended: nothing to find. */
  clear(): void;
}

/** @param stateDir absolute path */
export function partRecords(stateDir: string): PartRecords {
  const file = recordFile(stateDir);
  const parts = new Map<string, ProcessId>();
  const write = () => {
    writeFileSync(`${file}.new`, JSON.stringify({ parts: Object.fromEntries(parts) }));
    renameSync(`${file}.new`, file);
  };
  mkdirSync(stateDir, { recursive: true });
  return {
    set(name, id) {
      if (id === null) parts.delete(name);
      else parts.set(name, id);
      write();
    },
    clear: () => rmSync(file, { force: true }),
  };
}

/**
 * Ends what an earlier platform of this state directory left behind: its parts by their recorded number and start time, then its
 * pods with all they started.
 *
 * @returns how many parts and pods were still there
 */
export async function endLeftovers(
  stateDir: string,
  clock: Clock,
  graceMs: number,
): Promise<{ parts: number; pods: number }> {
  const parts = readParts(stateDir).filter(isAlive);
  for (const { pid } of parts) signal(pid, 'SIGTERM');
  const deadlineMs = clock.now() + graceMs;
  while (parts.some(isAlive) && clock.now() < deadlineMs) await clock.sleep(20);
  for (const part of parts.filter(isAlive)) signal(part.pid, 'SIGKILL');
  while (parts.some(isAlive)) await clock.sleep(5);
  const pods = await endAllPods(stateDir, cgroupsOf(stateDir), clock, graceMs);
  rmSync(recordFile(stateDir), { force: true });
  return { parts: parts.length, pods };
}

function recordFile(stateDir: string): string {
  return join(stateDir, 'dev.json');
}

function readParts(stateDir: string): ProcessId[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(recordFile(stateDir), 'utf8'));
    const hasParts = typeof parsed === 'object' && parsed !== null && 'parts' in parsed;
    return hasParts ? Object.values(Object(parsed.parts)).filter(isProcessId) : [];
  } catch {
    return [];
  }
}

function isProcessId(value: unknown): value is ProcessId {
  return typeof value === 'object' && value !== null && 'pid' in value && 'startTicks' in value && 'bootId' in value;
}
