import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { buildImage, hasImage, removeOlder } from './buildah.ts';
import { hashInputs } from './inputs.ts';
import { cache, repository } from './places.ts';
import { extractPackages, finishBase, finishUpper } from './root-fs.ts';

/** A root file system that stands in for a public base image. */
interface Base {
  /** Debian's release that the packages come from. */
  readonly suite: string;
  /** Debian packages on top of the common ones; none for the common base itself. */
  readonly packages: readonly string[];
  /** Has the project's pinned Node.js as /usr/local/bin/node. */
  readonly hasNode: boolean;
}

/** What every base of a suite starts with: the C and C++ libraries, a shell with the usual tools, time zones, certificates. */
const common = ['base-files', 'libc6', 'libc-bin', 'libstdc++6', 'tzdata', 'ca-certificates', 'busybox'] as const;

/** The bases, by name. All of a suite share its lowest layer. */
export const bases = {
  debian: { suite: 'trixie', packages: [], hasNode: false },
  node: { suite: 'trixie', packages: [], hasNode: true },
  'python3.13': { suite: 'trixie', packages: ['python3'], hasNode: false },
  provided: { suite: 'trixie', packages: ['bash', 'curl'], hasNode: false },
  'ruby3.3': { suite: 'trixie', packages: ['ruby'], hasNode: false },
  java21: { suite: 'trixie', packages: ['openjdk-21-jre-headless'], hasNode: false },
  valkey: { suite: 'trixie', packages: ['valkey-server'], hasNode: false },
} as const satisfies Readonly<Record<string, Base>>;

/** Name of one of the {@link bases}. */
export type BaseName = keyof typeof bases;

/** The pinned Node.js, from npm's package (package.json, optionalDependencies). */
const nodeBinary = `node_modules/node-linux-${process.arch}/bin/node`;

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
  const node = base.hasNode ? [`node_modules/node-linux-${process.arch}/package.json`] : [];
  return hashInputs(repository, [...recipe, ...node], [process.arch, base.suite, ...common, '+', ...base.packages]);
}

/** Tag of the base in the builder's storage, built now if it is missing. */
export async function provideBase(name: BaseName): Promise<string> {
  const base: Base = bases[name];
  const lowest = await provideLowest(base.suite);
  if (base.packages.length === 0 && !base.hasNode) return lowest.tag;
  const tag = `localhost/kappa-base/${name}:${baseHash(name)}`;
  if (await hasImage(tag)) return tag;
  await inWorkFolder(async (upper) => {
    if (base.packages.length > 0) {
      await extractPackages(upper, base.suite, base.packages);
      finishUpper(upper, lowest.folder);
    }
    if (base.hasNode) addNode(upper);
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

function addNode(root: string): void {
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  copyFileSync(join(repository, nodeBinary), join(root, 'usr/local/bin/node'));
  chmodSync(join(root, 'usr/local/bin/node'), 0o755);
}
