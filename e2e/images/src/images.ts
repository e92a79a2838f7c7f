import { testS3Version } from '@kappa/gateway/testing-s3';

import type { BaseName } from './bases.ts';
import type { PartName } from './parts.ts';

/** One image of a test run. */
export interface ImageSpec {
  /** Repository without registry, e.g. `kappa/gateway`. */
  readonly repository: string;
  /** The tag; null = the version of the build. */
  readonly tag: string | null;
  /** Path in the repository. */
  readonly dockerfile: string;
  /** Its stage; absent = the last one. */
  readonly target?: string;
  /** What stands in for the Dockerfile's public base. */
  readonly base: BaseName;
  /** Stages that are given instead of built. */
  readonly parts: readonly PartName[];
  /** Files and folders of the repository that the Dockerfile copies. */
  readonly inputs: readonly string[];
  /** Whether a build without a list of names builds it. */
  readonly isDefault: boolean;
}

const app = {
  tag: null,
  dockerfile: 'Dockerfile',
  base: 'node',
  parts: ['modules'],
  inputs: ['package.json', 'LICENSE', 'bundle', 'crds', 'gateway', 'controller', 'runtime-images/runtimes.yaml'],
  isDefault: true,
} as const;

/** Families whose sources get into the image compiled: as which part, and what else of their folder does. */
const compiledFamilies: ReadonlyMap<string, { readonly part: PartName; readonly copied: readonly string[] }> = new Map([
  ['java', { part: 'client', copied: ['runtime-images/java/archive.sh'] }],
  ['dotnet', { part: 'dotnet', copied: [] }],
]);

/** The image of one version of a language. */
function runtime(
  family: string,
  tag: string,
  base: BaseName,
  use: 'of a test run' | 'on request' = 'on request',
): ImageSpec {
  const sources = `runtime-images/${family}`;
  const compiled = compiledFamilies.get(family);
  return {
    repository: `kappa/runtime-${family}`,
    tag,
    dockerfile: `${sources}/Dockerfile`,
    base,
    ...(compiled === undefined
      ? { parts: ['agent'], inputs: ['LICENSE', sources] }
      : { parts: ['agent', compiled.part], inputs: ['LICENSE', ...compiled.copied] }),
    isDefault: use === 'of a test run',
  };
}

/** Every image that a test run can build. Tags of the runtime images are those of runtime-images/runtimes.yaml. */
export const images: readonly ImageSpec[] = [
  { ...app, repository: 'kappa/gateway', target: 'gateway' },
  { ...app, repository: 'kappa/controller', target: 'controller' },
  runtime('nodejs', '24', 'node', 'of a test run'),
  runtime('nodejs', '22', 'node22'),
  runtime('nodejs', '26', 'node26'),
  runtime('python', '3.13', 'python3.13', 'of a test run'),
  runtime('python', '3.11', 'python3.11'),
  runtime('python', '3.14', 'python3.14'),
  runtime('provided', 'al2023', 'provided', 'of a test run'),
  runtime('ruby', '3.3', 'ruby3.3', 'of a test run'),
  runtime('java', '21', 'java21', 'of a test run'),
  runtime('java', '17', 'java17'),
  runtime('java', '25', 'java25'),
  runtime('dotnet', '8', 'dotnet8', process.arch === 'x64' ? 'of a test run' : 'on request'), // toolchain.ts has it for x86-64 only
  {
    repository: 'kappa/user',
    tag: '1',
    dockerfile: 'e2e/images/user/Dockerfile',
    base: 'node',
    parts: [],
    inputs: ['e2e/images/user'],
    isDefault: true,
  },
  {
    repository: 'kappa/redis',
    tag: '8.1',
    dockerfile: 'e2e/images/redis/Dockerfile',
    base: 'valkey',
    parts: [],
    inputs: [],
    isDefault: true,
  },
  {
    repository: 'kappa/store',
    tag: testS3Version,
    dockerfile: 'e2e/images/store/Dockerfile',
    base: 'debian',
    parts: ['store'],
    inputs: [],
    isDefault: true,
  },
];

/** What the tags of a build are made of. */
export interface Tags {
  /** Tag of the gateway and the controller: the chart's appVersion. */
  readonly version: string;
  /** Put after the tags of the runtime images: the chart's functions.imageSuffix. */
  readonly suffix: string;
}

/** Name with tag, as pods name it. */
export function imageName(image: ImageSpec, tags: Tags): string {
  const suffix = image.repository.startsWith('kappa/runtime-') ? tags.suffix : '';
  return `${image.repository}:${image.tag ?? tags.version}${suffix}`;
}

/**
 * The images that `names` mean, in the table's order: `gateway`, `kappa/gateway` and `runtime-python:3.13` are names; without any, the
 * default ones. @throws Error that lists the names, for one that means none
 */
export function selectImages(names: readonly string[]): ImageSpec[] {
  if (names.length === 0) return images.filter((image) => image.isDefault);
  const chosen = new Set(names.flatMap(matching));
  return images.filter((image) => chosen.has(image));
}

function matching(name: string): ImageSpec[] {
  const [repository = '', tag] = name.replace(/^kappa\//, '').split(':');
  const found = images.filter(
    (image) => image.repository === `kappa/${repository}` && (tag === undefined ? image.isDefault : image.tag === tag),
  );
  if (found.length > 0) return found;
  const known = images.map((image) => image.repository.slice('kappa/'.length) + (image.tag ? `:${image.tag}` : ''));
  throw new Error(`no image ${name}; there are ${known.join(', ')}`);
}
