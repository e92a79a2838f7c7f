import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package of somebody else that a bundle has parts of. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression of its package.json. */
  readonly license: string;
  /** Its licence files; empty when it brings none. */
  readonly text: string;
}

/** The packages of `inputs` (paths below `root`, of which those in a node_modules count), each once, by name. */
export function packagesOf(root: string, inputs: readonly string[]): readonly BundledPackage[] {
  const folders = new Set(inputs.filter((path) => path.includes('node_modules/')).map((path) => folderOf(root, path)));
  const found = [...folders].map((folder) => readPackage(join(root, folder)));
  return found.sort((one, other) => (`${one.name} ${one.version}` < `${other.name} ${other.version}` ? -1 : 1));
}

/** One text for people, with all that the licences ask to be passed on. */
export function licensesText(packages: readonly BundledPackage[]): string {
  const parts = packages.map(({ name, version, license, text }) =>
    `${name} ${version} (${license})\n\n${text}`.trimEnd(),
  );
  return `${["Parts of these packages are in Kappa's bundles.", ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** Some packages have a package.json without a name in inner folders, so what follows node_modules counts. */
function folderOf(root: string, path: string): string {
  const [, folder = ''] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
  return existsSync(join(root, folder, 'package.json')) ? folder : dirname(path);
}

function readPackage(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const text = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { name: String(name), version: String(version), license: String(license), text: text.join('\n\n') };
}
