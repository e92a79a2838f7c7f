import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type PidRecord, parsePidRecord, readStartTicks } from './processes.ts';
import { waitUntil } from './run.ts';

/**
 * Runs `work` while no other process runs work under the same file; waits up to an hour (a first build) for its turn.
 * The lock of a process that died counts as given back.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  await waitUntil(`another run to end (${path})`, 3_600_000, async () => tryLock(path));
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  const holder = readHolder(path);
  if (holder !== null && readStartTicks(holder.pid) !== holder.startTicks) rmSync(path, { force: true });
  const own: PidRecord = { pid: process.pid, startTicks: readStartTicks(process.pid) ?? 0 };
  const written = `${path}.${process.pid}`;
  writeFileSync(written, JSON.stringify(own));
  try {
    linkSync(written, path); // whole or not at all: a lock without a holder would be held for ever
    return true;
  } catch {
    return false; // held
  } finally {
    rmSync(written, { force: true });
  }
}

function readHolder(path: string): PidRecord | null {
  try {
    return parsePidRecord(readFileSync(path, 'utf8'));
  } catch {
    return null; // free
  }
}
