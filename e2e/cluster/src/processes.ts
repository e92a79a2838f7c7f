import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cgroups } from './cgroups.ts';
import { inNamespace } from './run.ts';

/** A program that outlives the harness. */
export interface ProcessSpec {
  /** Name of its record and its log, e.g. `node-a1.kubelet`. */
  readonly name: string;
  readonly command: readonly string[];
  /** Cgroup and network namespace it runs in. */
  readonly group: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** What is remembered of a started process. */
export interface PidRecord {
  readonly pid: number;
  /** When it started, in clock ticks since boot: tells it from a later process with the same pid. */
  readonly startTicks: number;
}

/** Reads a pid record. Throws SyntaxError when it is none. */
export function parsePidRecord(text: string): PidRecord {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'pid' in parsed && 'startTicks' in parsed) {
    const { pid, startTicks } = parsed;
    if (typeof pid === 'number' && typeof startTicks === 'number') return { pid, startTicks };
  }
  throw new SyntaxError('pid record lacks pid or startTicks');
}

/** Start time in the text of /proc/PID/stat (field 22; the name in field 2 may hold spaces and brackets). */
export function parseStartTicks(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

/** The harness's background programs, found again by records in the run directory. */
export class Processes {
  readonly #recordDir: string;
  readonly #logDir: string;
  readonly #cgroups: Cgroups;

  constructor(runDir: string, cgroups: Cgroups) {
    this.#recordDir = join(runDir, 'pids');
    this.#logDir = join(runDir, 'logs');
    this.#cgroups = cgroups;
  }

  /** Starts a program, detached, its output appended to its log; writes its record. */
  start(spec: ProcessSpec): void {
    mkdirSync(this.#recordDir, { recursive: true });
    mkdirSync(this.#logDir, { recursive: true });
    const log = openSync(this.logFile(spec.name), 'a');
    const joinFiles = this.#cgroups.joinFiles(spec.group).join(' ');
    const script = `for file in ${joinFiles}; do echo $$ > "$file"; done; exec "$@"`;
    const command = ['-ec', script, 'sh', ...inNamespace(spec.group, spec.command)];
    const environment = { ...process.env, ...spec.environment };
    const child = spawn('sh', command, { detached: true, stdio: ['ignore', log, log], env: environment, cwd: '/' });
    child.on('error', () => undefined); // no shell: readiness is checked by whoever waits for the program
    child.unref();
    closeSync(log);
    if (child.pid === undefined) throw new Error(`${spec.name} could not be started`);
    const startTicks = readStartTicks(child.pid) ?? 0;
    writeFileSync(join(this.#recordDir, spec.name), JSON.stringify({ pid: child.pid, startTicks }));
  }

  /** Where a program's output goes. */
  logFile(name: string): string {
    return join(this.#logDir, `${name}.log`);
  }

  /** Names of all programs with a record, running or not. */
  names(): readonly string[] {
    return existsSync(this.#recordDir) ? readdirSync(this.#recordDir).sort() : [];
  }

  /** The program runs (also when it is frozen). */
  isAlive(name: string): boolean {
    return this.#pid(name) !== null;
  }

  /** SIGKILL by record, when the process is still the recorded one; removes the record. */
  kill(name: string): void {
    const pid = this.#pid(name);
    rmSync(join(this.#recordDir, name), { force: true });
    if (pid === null) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // has ended meanwhile
    }
  }

  #pid(name: string): number | null {
    const path = join(this.#recordDir, name);
    if (!existsSync(path)) return null;
    const { pid, startTicks } = parsePidRecord(readFileSync(path, 'utf8'));
    return readStartTicks(pid) === startTicks ? pid : null;
  }
}

/** Start time of a process in clock ticks since boot; null when there is none or it is a zombie. */
export function readStartTicks(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state === 'Z' ? null : parseStartTicks(stat);
  } catch {
    return null;
  }
}
