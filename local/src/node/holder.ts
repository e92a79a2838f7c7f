import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, isAlive, type ProcessId } from './proc.ts';

/** A state directory is held by a live process. */
export class Held extends Error {
  readonly holder: ProcessId;
  constructor(file: string, holder: ProcessId) {
    super(`process ${holder.pid} holds ${file}`);
    this.holder = holder;
  }
}

/**
 * Takes a file as the sign that this process, alone, works with a folder. The holder is named by number and start time, so a
 * killed one holds nothing, and a process that got its number later holds nothing either.
 *
 * @returns gives it back
 * @throws Held when a live process has it
 */
export function hold(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const self = identify(process.pid);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(self));
  try {
    for (;;) {
      try {
        linkSync(own, file);
        return () => release(file, self);
      } catch {
        removeIfDead(file);
      }
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** The live holder, or null. */
export function holderOf(file: string): ProcessId | null {
  const holder = readHolder(file);
  return holder !== null && isAlive(holder) ? holder : null;
}

function removeIfDead(file: string): void {
  const holder = holderOf(file);
  if (holder !== null) throw new Held(file, holder);
  // Moved first: of two that find a dead holder one gets it, and nobody removes the other's fresh file.
  const old = `${file}.${process.pid}.old`;
  try {
    renameSync(file, old);
  } catch {
    return;
  }
  const moved = readHolder(old);
  if (moved !== null && isAlive(moved)) renameSync(old, file);
  else rmSync(old, { force: true });
}

function release(file: string, self: ProcessId | null): void {
  if (readHolder(file)?.startTicks === self?.startTicks) rmSync(file, { force: true });
}

function readHolder(file: string): ProcessId | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isProcessId(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isProcessId(value: unknown): value is ProcessId {
  return typeof value === 'object' && value !== null && 'pid' in value && 'startTicks' in value && 'bootId' in value;
}
