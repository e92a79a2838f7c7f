import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identify, type ProcessId } from './proc.ts';

/** What to start, and where. */
export interface Launch {
  /** Absolute path of the program, then its arguments. */
  readonly command: readonly string[];
  /** The whole environment: nothing of the node's own is added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Standard output and error are appended to this file by the process itself, so they survive the node. */
  readonly logFile: string;
  /** The process joins these groups before it becomes the command: nothing it starts can be outside. */
  readonly procsFiles: readonly string[];
}

/** A started process. */
export interface Launched {
  readonly id: ProcessId;
  /** Settles when it ends; exactly one of code and signal is set. Rejects never. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Joins each group named before `--`, then becomes the command after it. */
const joinGroups = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 126; shift; done; shift; exec "$@"';

/**
 * Starts a process in its own session, detached: it lives on when the node dies.
 *
 * @throws Error when it cannot be started (no such program, no more processes)
 */
export async function launch(what: Launch): Promise<Launched> {
  const log = openSync(what.logFile, 'a', 0o644);
  try {
    const command =
      what.procsFiles.length === 0
        ? what.command
        : ['/bin/sh', '-c', joinGroups, 'sh', ...what.procsFiles, '--', ...what.command];
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: what.folder,
      detached: true,
      env: { ...what.environment },
      stdio: ['ignore', log, log],
    });
    const ended = endOf(child);
    await started(child);
    child.unref();
    const id = child.pid === undefined ? null : identify(child.pid);
    if (id === null) throw new Error(`${program} ended before it could be recorded`);
    return { id, ended };
  } finally {
    closeSync(log);
  }
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function endOf(child: ChildProcess): Launched['ended'] {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}
