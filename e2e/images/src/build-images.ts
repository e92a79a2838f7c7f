import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { baseHash, provideBase } from './bases.ts';
import { buildImage, exportImage, removeImage, removeLeftovers, unpackedBytes } from './buildah.ts';
import { installTools } from './debian.ts';
import { type ImageSpec, imageName, selectImages, type Tags } from './images.ts';
import { hashInputs } from './inputs.ts';
import { withLock } from './lock.ts';
import { type PartName, partHash, providePart } from './parts.ts';
import { cache, repository } from './places.ts';
import { run } from './run.ts';

/** One image, ready to be loaded: `ctr images import ARCHIVE`. */
export interface BuiltImage {
  /** Repository and tag, e.g. `kappa/gateway:0.1.0`. */
  readonly name: string;
  /** Absolute path of the OCI archive; its index names the image as `name` does. */
  readonly archive: string;
  /** Size of the archive: layers compressed by gzip. */
  readonly bytes: number;
  /** Size of the image's files. */
  readonly unpackedBytes: number;
  /** How long its build took, when it was built: base and parts included if they were missing then. */
  readonly seconds: number;
  /** Taken from the cache, not built now. */
  readonly isCached: boolean;
}

/** A part by the name of the one whose place it takes. */
type StandIns = Readonly<Partial<Record<PartName, PartName>>>;

/** What {@link buildImages} takes. */
export interface BuildOptions {
  /** Images as {@link selectImages} names them; default: those of a test run. */
  readonly names?: readonly string[];
  /** Tag and version label of Kappa's own images; default: package.json's version. */
  readonly version?: string;
  /** Put after the tags of the runtime images, and into their label; default: nothing. */
  readonly suffix?: string;
  /** Parts that are put in the place of others, e.g. `{ agent: 'oldAgent' }`; such images need a suffix of their own. */
  readonly standIns?: StandIns;
  /** Told of each step that takes time. */
  readonly onProgress?: (text: string) => void;
}

/**
 * Builds the images that are not in the cache and gives all. Root on Debian; installs buildah and mmdebstrap when they are missing.
 * Waits while another process builds. @throws Error with the output of the command that failed
 */
export function buildImages(options: BuildOptions = {}): Promise<readonly BuiltImage[]> {
  mkdirSync(join(cache, 'archives'), { recursive: true });
  return withLock(join(cache, 'lock'), () => buildMissing(options));
}

async function buildMissing(options: BuildOptions): Promise<readonly BuiltImage[]> {
  const tags: Tags = { version: options.version ?? ownVersion(), suffix: options.suffix ?? '' };
  const progress = options.onProgress ?? (() => {});
  const standIns = options.standIns ?? {};
  const chosen = selectImages(options.names ?? []);
  const wanted = chosen.map((image) => {
    const parts = new Map(image.parts.map((stage) => [stage, standIns[stage] ?? stage]));
    return { image, parts, name: imageName(image, tags), path: archivePath(image, parts, tags) };
  });
  if (wanted.some(({ path }) => !existsSync(`${path}.json`))) {
    await installTools();
    await removeLeftovers();
  }
  const built: BuiltImage[] = [];
  for (const { image, parts, name, path } of wanted) {
    const isCached = existsSync(`${path}.json`);
    if (!isCached) {
      progress(`building ${name}`);
      await build({ image, parts, name, tags }, path);
    }
    built.push({ ...parseFacts(readFileSync(`${path}.json`, 'utf8')), name, archive: path, isCached });
  }
  return built;
}

function ownVersion(): string {
  const text = readFileSync(join(repository, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The part that is given for each stage. */
type Parts = ReadonlyMap<PartName, PartName>;

/** Says by its name what is in it. */
function archivePath(image: ImageSpec, parts: Parts, tags: Tags): string {
  const name = imageName(image, tags);
  const facts = [name, tags.version, baseHash(image.base), ...[...parts.values()].map(partHash)];
  const hash = hashInputs(repository, [image.dockerfile, ...image.inputs], facts);
  return join(cache, 'archives', `${archivePrefix(name)}${hash}.tar`);
}

/** An archive that newer inputs replaced stays so long. */
const keptForMs = 3_600_000;

const archivePrefix = (name: string): string => `${name.replace(/[/:]/g, '_')}-`;

/** Builds and writes the archive, then the facts beside it: an archive with facts is whole. */
async function build(
  { image, parts, name, tags }: { image: ImageSpec; parts: Parts; name: string; tags: Tags },
  path: string,
): Promise<void> {
  const startMs = performance.now();
  removeOld(archivePrefix(name));
  const base = await provideBase(image.base);
  const contexts: Record<string, string> = {};
  for (const [stage, part] of parts) contexts[stage] = await providePart(part);
  const tag = `localhost/${name}`;
  const args = { BASE: base, VERSION: `${tags.version}${tags.suffix}`, REVISION: await revision() };
  const { target } = image;
  await buildImage({
    dockerfile: join(repository, image.dockerfile),
    target,
    context: repository,
    tag,
    args,
    contexts,
  });
  await exportImage(tag, `${path}.part`, name);
  const facts = {
    bytes: statSync(`${path}.part`).size,
    unpackedBytes: await unpackedBytes(tag),
    seconds: Math.round((performance.now() - startMs) / 100) / 10,
  };
  await removeImage(tag);
  renameSync(`${path}.part`, path);
  writeFileSync(`${path}.json`, JSON.stringify(facts));
}

/** Clears away archives of earlier contents, but none that somebody may just be reading. */
function removeOld(prefix: string): void {
  const folder = join(cache, 'archives');
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(prefix))) {
    if (statSync(join(folder, name)).mtimeMs < Date.now() - keptForMs) rmSync(join(folder, name));
  }
}

/** The commit; `unknown` where there is no git, or no repository but its files. */
async function revision(): Promise<string> {
  return run('git', ['rev-parse', 'HEAD'], { cwd: repository }).then(
    (text) => text.trim(),
    () => 'unknown',
  );
}

function parseFacts(text: string): Pick<BuiltImage, 'bytes' | 'unpackedBytes' | 'seconds'> {
  return JSON.parse(text) as Pick<BuiltImage, 'bytes' | 'unpackedBytes' | 'seconds'>;
}
