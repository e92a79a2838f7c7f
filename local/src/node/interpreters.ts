import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A language interpreter of this machine. */
export interface Interpreter {
  /** Absolute path of the real program, no shim. */
  readonly path: string;
  readonly version: string;
}

/** Candidates for a name of runtimes.yaml, best first; empty when there is none that works. */
export type FindInterpreter = (name: string) => Promise<readonly Interpreter[]>;

/** Where version managers keep their interpreters; `*` is one folder level. */
const managedFolders = [
  '.pyenv/versions/*/bin',
  '.local/share/uv/python/*/bin',
  '.local/share/mise/installs/python/*/bin',
  '.local/share/mise/installs/node/*/bin',
  '.asdf/installs/python/*/bin',
  '.asdf/installs/nodejs/*/bin',
  '.nvm/versions/node/*/bin',
];

/** Makes the lookup. Each program is asked for its version once. @param pinned path of the Node that `pinned` means */
export function makeFindInterpreter(searchPath: string, pinned: string): FindInterpreter {
  const asked = new Map<string, Promise<Interpreter | null>>();
  const folders = [...searchPath.split(delimiter).filter((folder) => folder !== ''), ...managed()];
  const ask = (program: string) => {
    const known = asked.get(program) ?? askVersion(program);
    asked.set(program, known);
    return known;
  };
  return async (name) => {
    const programs = name === 'pinned' ? [pinned] : folders.map((folder) => join(folder, name)).filter(isProgram);
    const found = await Promise.all(programs.map(ask));
    return found.filter((interpreter) => interpreter !== null);
  };
}

/** Runs `program --version`, then asks the interpreter itself where it really is (a shim of pyenv is a shell script). */
async function askVersion(program: string): Promise<Interpreter | null> {
  const said = await run(program, ['--version']);
  const version = /\d+(\.\d+)+/.exec(said ?? '')?.[0];
  if (version === undefined) return null;
  const question = /python[\d.]*$/.test(program)
    ? ['-c', 'import sys; print(sys.executable)']
    : ['-p', 'process.execPath'];
  const path = (await run(program, question))?.trim();
  return path === undefined || path === '' ? null : { path: isProgram(path) ? path : realpathSync(program), version };
}

function run(program: string, args: string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 10_000 }, (error, stdout, stderr) =>
      resolve(error === null ? `${stdout}${stderr}` : null),
    );
  });
}

function managed(): string[] {
  return managedFolders.flatMap((pattern) => {
    const [before = '', after = ''] = pattern.split('/*/');
    const base = join(homedir(), before);
    return foldersIn(base).map((version) => join(base, version, after));
  });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
