import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { testS3Module as storeModule } from '@kappa/gateway/testing-s3';

import { provideDotnetToolchain } from '../../../runtime-images/dotnet/toolchain.ts';
import { hashInputs } from './inputs.ts';
import { cache, repository } from './places.ts';
import { run } from './run.ts';

/** A stage of a Dockerfile that is built outside, where the package registries are, and given as a folder. */
interface Part {
  /** Files and folders of the repository that it is made of. */
  readonly inputs: readonly string[];
  readonly facts: readonly string[];
  /** Fills the new folder. */
  readonly make: (folder: string) => Promise<void>;
}

/** The parts, by the name of the stage that they replace. */
export const parts = {
  modules: {
    inputs: [
      'package.json',
      'package-lock.json',
      'bundle/package.json',
      'crds/package.json',
      'gateway/package.json',
      'controller/package.json',
    ],
    facts: [],
    make: makeModules,
  },
  agent: { inputs: ['runtime-images/agent'], facts: [], make: (folder) => makeAgent(folder) },
  // Stands in for `agent`: speaks what agents of one version ago speak on the link.
  oldAgent: {
    inputs: ['runtime-images/agent'],
    facts: [],
    make: (folder) => makeAgent(folder, '-X main.newestProtocol=1'),
  },
  client: {
    inputs: ['build.sh', 'lib.sha256', 'pom.xml', 'src'].map((name) => `runtime-images/java/${name}`),
    facts: [],
    make: async (folder) => {
      await run(join(repository, 'runtime-images/java/build.sh'), [folder]);
    },
  },
  dotnet: {
    inputs: ['build.sh', 'kappa-runtime.runtimeconfig.json', 'rehearsal', 'src', 'toolchain.ts'].map(
      (name) => `runtime-images/dotnet/${name}`,
    ),
    facts: [],
    make: async (folder) => {
      const { dotnet, sdk } = await provideDotnetToolchain();
      await run(join(repository, 'runtime-images/dotnet/build.sh'), [folder, dotnet, sdk]);
    },
  },
  store: {
    inputs: [],
    facts: [storeModule],
    make: (folder) => goBuild(folder, ['install'], storeModule, { env: { GOBIN: folder } }),
  },
} as const satisfies Readonly<Record<string, Part>>;

/** Name of one of the {@link parts}. */
export type PartName = keyof typeof parts;

/** Names the part as {@link hashInputs} does. */
export function partHash(name: PartName): string {
  const part: Part = parts[name];
  return hashInputs(repository, [...part.inputs, 'e2e/images/src/parts.ts'], [process.arch, ...part.facts]);
}

/** Folder with the part, made now if it is missing. */
export async function providePart(name: PartName): Promise<string> {
  const folder = join(cache, 'parts', `${name}-${partHash(name)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(join(cache, 'parts', 'work-'));
  try {
    await parts[name].make(work);
    for (const old of readdirSync(dirname(folder)).filter((entry) => entry.startsWith(`${name}-`))) {
      rmSync(join(dirname(folder), old), { recursive: true });
    }
    renameSync(work, folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What the stage `modules` of the Dockerfile does: the same command, with the npm and the registry of this machine. */
async function makeModules(folder: string): Promise<void> {
  const app = join(folder, 'app');
  for (const path of parts.modules.inputs) {
    mkdirSync(dirname(join(app, path)), { recursive: true });
    copyFileSync(join(repository, path), join(app, path));
  }
  const options = ['--no-save', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const workspaces = ['bundle', 'crds', 'gateway', 'controller'].flatMap((name) => ['-w', name]);
  await run('npm', ['install', ...options, ...workspaces], { cwd: app });
  rmSync(join(app, 'package-lock.json'));
}

function makeAgent(folder: string, linkerFlags = ''): Promise<void> {
  const command = ['build', '-o', join(folder, 'agent')];
  return goBuild(join(repository, 'runtime-images/agent'), command, '.', { linkerFlags });
}

async function goBuild(
  cwd: string,
  command: readonly string[],
  what: string,
  { linkerFlags = '', env = {} }: { linkerFlags?: string; env?: Readonly<Record<string, string>> },
): Promise<void> {
  const flags = ['-trimpath', '-ldflags', `-s -w ${linkerFlags}`];
  await run('go', [...command, ...flags, what], { cwd, env: { CGO_ENABLED: '0', ...env } });
}
