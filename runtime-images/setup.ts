/**
 * Brings what local mode needs to run functions in Ruby, Java and .NET, as far as this machine can have it; part of `make setup`. Without it
 * everything else works, and these runtimes are not offered.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { NoDotnet, provideDotnetToolchain } from './dotnet/toolchain.ts';

const run = promisify(execFile);
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
const hasCommand = (name: string): boolean => folders.some((folder) => existsSync(join(folder, name)));

/** Debian's own Ruby, and the curl that shell functions of the tests speak by, where there is none. */
async function provideRuby(): Promise<string | null> {
  const missing = ['ruby', 'curl'].filter((name) => !hasCommand(name));
  if (missing.length === 0) return null;
  if (!hasCommand('apt-get') || process.getuid?.() !== 0)
    return 'install Ruby (3.1 or later), or run this as root on Debian';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], { env });
  return null;
}

/** The official runtime client of Java, and ours on it. */
async function provideJava(): Promise<string | null> {
  const folder = join(import.meta.dirname, 'java');
  const mark = join(folder, 'build/.made-of');
  const hash = hashOf([
    join(folder, 'pom.xml'),
    join(folder, 'lib.sha256'),
    join(folder, 'build.sh'),
    ...filesOf(join(folder, 'src/dev/kappa/runtime')),
  ]);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return null;
  if (!hasCommand('mvn') || !hasCommand('javac')) return 'install Maven and a JDK (17 or later)';
  await run(join(folder, 'build.sh'), [join(folder, 'build')]);
  writeFileSync(mark, hash);
  return null;
}

/** .NET with a compiler, and ours built by it. */
async function provideDotnet(): Promise<string | null> {
  const folder = join(import.meta.dirname, 'dotnet');
  const mark = join(folder, 'build/.made-of');
  const made = ['build.sh', 'toolchain.ts', 'kappa-runtime.runtimeconfig.json'].map((name) => join(folder, name));
  const hash = hashOf([...made, ...filesOf(join(folder, 'src')), ...filesOf(join(folder, 'rehearsal'))]);
  try {
    const { dotnet, sdk } = await provideDotnetToolchain();
    if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return null;
    await run(join(folder, 'build.sh'), [join(folder, 'build'), dotnet, sdk]);
    writeFileSync(mark, hash);
    return null;
  } catch (error) {
    if (error instanceof NoDotnet) return error.message;
    throw error;
  }
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

for (const [language, provide] of Object.entries({ Ruby: provideRuby, Java: provideJava, '.NET': provideDotnet })) {
  const lacks = await provide().catch((error: unknown) => String(error));
  if (lacks !== null) console.error(`No ${language} functions in local mode: ${lacks}`);
}
