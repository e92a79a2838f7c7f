import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { provideDotnetRuntime } from '../../../runtime-images/dotnet/toolchain.ts';
import { buildImage, hasImage, removeOlder } from './buildah.ts';
import { hashInputs } from './inputs.ts';
import { nodePackage, unpackNode } from './node-package.ts';
import { cache, repository } from './places.ts';
import { extractPackages, finishBase, finishJava, finishUpper } from './root-fs.ts';

/** A root file system that stands in for a public base image. */
interface Base {
  /** Debian's release that the packages come from. */
  readonly suite: string;
  /** Debian packages on top of the common ones; none for the common base itself. */
  readonly packages: readonly string[];
  /** Has this Node.js as /usr/local/bin/node: a version of npm's package, in node-package.ts, or the project's pinned one. */
  readonly node?: string;
  /** Has a Java of Debian that needs what its package's scripts would have done. */
  readonly hasJava?: boolean;
  /** Has the .NET that local mode has. */
  readonly hasDotnet?: boolean;
}

/** What every base of a suite starts with: the C and C++ libraries, a shell with the usual tools, time zones, certificates. */
const common = ['base-files', 'libc6', 'libc-bin', 'libstdc++6', 'tzdata', 'ca-certificates', 'busybox'] as const;

/** The bases, by name. All of a suite share its lowest layer. */
export const bases = {
  debian: { suite: 'trixie', packages: [] },
  node: { suite: 'trixie', packages: [], node: 'pinned' },
  node22: { suite: 'trixie', packages: [], node: '22.23.3' },
  node26: { suite: 'trixie', packages: ['libatomic1'], node: '26.10.0' },
  'python3.11': { suite: 'bookworm', packages: ['python3'] },
  'python3.13': { suite: 'trixie', packages: ['python3'] },
  'python3.14': { suite: 'sid', packages: ['python3'] },
  provided: { suite: 'trixie', packages: ['bash', 'coreutils', 'curl', 'grep', 'sed'] },
  'ruby3.3': { suite: 'trixie', packages: ['ruby'] },
  java17: { suite: 'sid', packages: ['openjdk-17-jre-headless'], hasJava: true },
  java21: { suite: 'trixie', packages: ['openjdk-21-jre-headless'], hasJava: true },
  java25: { suite: 'trixie', packages: ['openjdk-25-jre-headless'], hasJava: true },
  dotnet8: { suite: 'trixie', packages: ['libicu76', 'libssl3t64', 'zlib1g'], hasDotnet: true },
  valkey: { suite: 'trixie', packages: ['valkey-server'] },
} as const satisfies Readonly<Record<string, Base>>;

/** Name of one of the {@link bases}. */
export type BaseName = keyof typeof bases;

/** The project's own (package.json, optionalDependencies). */
const pinnedNode = `node_modules/${nodePackage}`;

/** A base that can be built upon. */
interface Provided {
  /** Tag in the builder's storage. */
  readonly tag: string;
  /** Its files, for telling what another layer adds; only for the lowest layer of a suite. */
  readonly folder: string;
}

const recipe = ['e2e/images/bases/Dockerfile', 'e2e/images/src/root-fs.ts'] as const;

/** Facts that name a base: same facts, same base. The packages' versions are not among them: a base stays until it is removed. */
export function baseHash(name: BaseName): string {
  const base: Base = bases[name];
  const files = [
    ...(base.node === 'pinned' ? [`${pinnedNode}/package.json`] : []),
    ...(base.hasDotnet ? ['runtime-images/dotnet/toolchain.ts'] : []),
  ];
  const facts = [process.arch, base.suite, ...common, '+', ...base.packages, base.node ?? ''];
  return hashInputs(repository, [...recipe, ...files], facts);
}

/** Tag of the base in the builder's storage, built now if it is missing. */
export async function provideBase(name: BaseName): Promise<string> {
  const base: Base = bases[name];
  const lowest = await provideLowest(base.suite);
  if (base.packages.length === 0 && base.node === undefined) return lowest.tag;
  const tag = `localhost/kappa-base/${name}:${baseHash(name)}`;
  if (await hasImage(tag)) return tag;
  await inWorkFolder(async (upper) => {
    if (base.packages.length > 0) {
      await extractPackages(upper, base.suite, base.packages);
      if (base.hasJava) await finishJava(upper);
      finishUpper(upper, lowest.folder);
    }
    if (base.node !== undefined) await addNode(upper, base.node);
    if (base.hasDotnet) await addDotnet(upper);
    await build(upper, lowest.tag, tag);
  });
  await removeOlder(tag);
  await removeOlder(lowest.tag);
  return tag;
}

async function provideLowest(suite: string): Promise<Provided> {
  const hash = hashInputs(repository, recipe, [process.arch, suite, ...common]);
  const provided = {
    tag: `localhost/kappa-base/debian-${suite}:${hash}`,
    folder: join(cache, 'roots', `${suite}-${hash}`),
  };
  if (existsSync(provided.folder) && (await hasImage(provided.tag))) return provided;
  await inWorkFolder(async (lower) => {
    await extractPackages(lower, suite, common);
    await finishBase(lower);
    await build(lower, 'scratch', provided.tag);
    mkdirSync(join(cache, 'roots'), { recursive: true });
    for (const old of readdirSync(join(cache, 'roots')).filter((name) => name.startsWith(`${suite}-`))) {
      rmSync(join(cache, 'roots', old), { recursive: true });
    }
    renameSync(lower, provided.folder);
  });
  return provided;
}

/** Runs `then` with the name of a folder that does not exist yet and will not afterwards. */
async function inWorkFolder(then: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'work-'));
  try {
    await then(join(work, 'root'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const build = (context: string, from: string, tag: string): Promise<void> =>
  buildImage({ dockerfile: join(repository, 'e2e/images/bases/Dockerfile'), context, tag, args: { BASE: from } });

async function addNode(root: string, version: string): Promise<void> {
  const program = join(root, 'usr/local/bin/node');
  mkdirSync(dirname(program), { recursive: true });
  if (version === 'pinned') copyFileSync(join(repository, pinnedNode, 'bin/node'), program);
  else await unpackNode(version, dirname(program), root);
  chmodSync(program, 0o755);
}

async function addDotnet(root: string): Promise<void> {
  cpSync(await provideDotnetRuntime(), join(root, 'usr/share/dotnet'), { recursive: true });
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  symlinkSync('../share/dotnet/dotnet', join(root, 'usr/bin/dotnet'));
}
