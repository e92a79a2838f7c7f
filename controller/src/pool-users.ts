import type { PoolImage } from '@kappa/crds/image-pool';
import type { SnapshotImage } from '@kappa/crds/version-snapshot';
import { found, KeyIndex } from './key-index.ts';
import type { FunctionSummary, VersionSummary } from './observed.ts';

/** Who uses which pool: functions the pool of their runtime, function versions the pool of their image. */
export class PoolUsers {
  readonly #functions = new KeyIndex();
  readonly #versions = new KeyIndex();
  /** Those from images, by function. */
  readonly #versionsByFunction = new KeyIndex();
  /** Versions from images only, by key. */
  readonly #images = new Map<string, VersionSummary>();

  /** Notes a function; null = it is gone. Answers the pools whose use may have changed. */
  setFunction(key: string, fn: FunctionSummary | null): readonly string[] {
    return changed(this.#functions.set(key, fn?.runtime ?? null), fn?.runtime ?? null);
  }

  /** Notes a version; null = it is gone. Answers the pools whose use may have changed. */
  setVersion(key: string, version: VersionSummary | null): readonly string[] {
    const image = version?.image ?? null;
    if (version === null || image === null) this.#images.delete(key);
    else this.#images.set(key, version);
    this.#versionsByFunction.set(key, image === null ? null : `${version?.namespace}/${version?.functionName}`);
    return changed(this.#versions.set(key, image?.pool ?? null), image?.pool ?? null);
  }

  isUsed(pool: string): boolean {
    return this.#functions.has(pool) || this.#versions.has(pool);
  }

  /** Every pool that is used. */
  pools(): readonly string[] {
    return [...this.#functions.groups(), ...this.#versions.groups()];
  }

  /** What the pods of a pool run; null = it is none of an image that is used. */
  imageOf(pool: string): PoolImage | null {
    return this.#ofPool(pool)[0]?.image?.ofPool ?? null;
  }

  /** Keys of the functions that have versions in an image's pool, each once. */
  functionsOf(pool: string): ReadonlySet<string> {
    return new Set(this.#ofPool(pool).map(({ namespace, functionName }) => `${namespace}/${functionName}`));
  }

  /** Images of a function's `$LATEST` snapshots. */
  latestImagesOf({ namespace, name }: Pick<FunctionSummary, 'namespace' | 'name'>): readonly SnapshotImage[] {
    return found(this.#versionsByFunction.keysOf(`${namespace}/${name}`), this.#images).flatMap(({ version, image }) =>
      version === '$LATEST' && image !== null ? [image.snapshot] : [],
    );
  }

  #ofPool(pool: string): readonly VersionSummary[] {
    return found(this.#versions.keysOf(pool), this.#images);
  }
}

function changed(before: string | null, after: string | null): readonly string[] {
  return before === after ? [] : [before, after].filter((pool) => pool !== null);
}
