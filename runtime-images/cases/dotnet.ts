import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

import { dotnetToolchain } from '../dotnet/toolchain.ts';
import type { TestFiles } from '../nodejs/zip.ts';

const core = 'Amazon.Lambda.Core';

/**
 * The assembly of one source file in functions/dotnet, and the one it needs, as a package has them. Needs what `make setup` provides.
 *
 * @param options of the compiler
 */
export async function compileCsharp(name: string, options: readonly string[] = []): Promise<TestFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-dotnet-'));
  try {
    await compile(folder, core, ['-target:library']);
    if (name !== core)
      await compile(folder, name, ['-target:library', `-reference:${join(folder, core)}.dll`, ...options]);
    return Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compile(folder: string, name: string, options: readonly string[]): Promise<void> {
  const tools = dotnetToolchain();
  if (tools === null) throw new Error('no C# compiler: run make setup');
  const [compiler = ''] = globSync(`${tools.sdk}/sdk/*/Roslyn/bincore/csc.dll`);
  const references = globSync(`${tools.sdk}/packs/Microsoft.NETCore.App.Ref/*/ref/*/*.dll`);
  const fixed = [
    '-nologo',
    '-noconfig',
    '-nostdlib',
    '-langversion:8',
    '-debug:portable',
    `-out:${join(folder, name)}.dll`,
  ];
  const source = join(import.meta.dirname, 'functions/dotnet', `${basename(name)}.cs`);
  const all = [...fixed, ...references.map((path) => `-reference:${path}`), ...options, source];
  const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' };
  await promisify(execFile)(tools.dotnet, ['exec', '--roll-forward', 'Major', compiler, ...all], { env });
}
