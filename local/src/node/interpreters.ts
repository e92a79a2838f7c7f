import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** A language interpreter of this machine. */
export interface Interpreter {
  /** Absolute path of the real program, no shim. */
  readonly path: string;
  readonly version: string;
}

/** Candidates for a name of runtimes.yaml; empty when there is none that works. */
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
  '.local/share/mise/installs/ruby/*/bin',
  '.rbenv/versions/*/bin',
  '.asdf/installs/ruby/*/bin',
  '.local/share/mise/installs/java/*/bin',
  '.sdkman/candidates/java/*/bin',
  '.asdf/installs/java/*/bin',
];

/** Where systems keep several versions of Java. */
const javaFolders = '/usr/lib/jvm/*/bin';

/** Where .NET lies that no PATH names: what `make setup` brings, Debian's, Microsoft's, and its installer's. */
const dotnetFolders = [
  join(import.meta.dirname, '../../../.cache/dotnet/*/'),
  '/usr/lib/dotnet',
  '/usr/share/dotnet',
  join(homedir(), '.dotnet'),
];

/** One run tells both; the answer's last line is `VERSION PATH`. Java says `openjdk VERSION …` in the first; .NET lists. */
const questions: readonly (readonly [names: RegExp, args: readonly string[]])[] = [
  [/^python[\d.]*$/, ['-c', 'import platform, sys; print(platform.python_version(), sys.executable)']],
  [/^node[\d.]*$/, ['-p', 'process.versions.node + " " + process.execPath']],
  [/^ruby[\d.]*$/, ['-e', 'puts RUBY_VERSION + " " + RbConfig.ruby']],
  [/^java$/, ['--version']],
  [/^dotnet$/, ['--list-runtimes']],
];

/**
 * Makes the lookup. Each program is asked for its version once, however many names lead to it.
 *
 * @param searchPath as the variable PATH
 * @param pinned path of the Node that the name `pinned` means: the one that runs this process
 */
export function makeFindInterpreter(searchPath: string, pinned: string): FindInterpreter {
  const asked = new Map<string, Promise<Interpreter | null>>();
  const folders = [
    ...searchPath.split(delimiter).flatMap(withoutShims),
    ...managedFolders.flatMap(expandHome),
    ...expand(javaFolders),
    ...dotnetFolders.flatMap((folder) => (folder.includes('*') ? expand(folder) : [folder])),
  ];
  const ask = (program: string, name: string) => {
    const known = asked.get(program) ?? askVersion(program, name);
    asked.set(program, known);
    return known;
  };
  return async (name) => {
    if (name === 'pinned') return [{ path: pinned, version: process.versions.node }];
    const programs = new Set(folders.map((folder) => realProgram(join(folder, name))).filter((path) => path !== null));
    const found = await Promise.all([...programs].map((program) => ask(program, name)));
    return found.filter((interpreter) => interpreter !== null);
  };
}

async function askVersion(program: string, name: string): Promise<Interpreter | null> {
  const question = questions.find(([names]) => names.test(name))?.[1];
  const said = question === undefined ? '' : await run(program, question);
  const [, java] = /^java$/.test(name) ? (/^\S+ (\d+[\d.]*)/.exec(said) ?? []) : [];
  if (java !== undefined) return { version: java, path: program };
  // A line for each: `Microsoft.NETCore.App VERSION [FOLDER]`, the oldest first.
  const [dotnet] = [...said.matchAll(/^Microsoft\.NETCore\.App (\d+\.\d+\.\d+) /gm)].slice(-1);
  if (dotnet?.[1] !== undefined) return { version: dotnet[1], path: program };
  const [, version, path] = /(\d+\.\d+\S*) (\/.+)\s*$/.exec(said) ?? [];
  return version === undefined || path === undefined ? null : { version, path: path.trimEnd() };
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 10_000 }, (error, stdout) => resolve(error === null ? stdout : ''));
  });
}

/** A folder of shims (pyenv) answers slowly and for one version only: the versions behind it are looked at instead. */
function withoutShims(folder: string): string[] {
  if (!folder.endsWith('/shims')) return folder === '' ? [] : [folder];
  return expand(join(dirname(folder), 'versions/*/bin'));
}

function expandHome(pattern: string): string[] {
  return expand(join(homedir(), pattern));
}

function expand(pattern: string): string[] {
  const [base = '', after = ''] = pattern.split('/*/');
  try {
    return readdirSync(base).map((version) => join(base, version, after));
  } catch {
    return [];
  }
}

function realProgram(file: string): string | null {
  try {
    accessSync(file, constants.X_OK);
    return realpathSync(file);
  } catch {
    return null;
  }
}
