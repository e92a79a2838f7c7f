import type { RoutedUrl } from './routed-url.ts';
import type { RoutedFunction } from './routing.ts';

/** Whose URL it is. */
interface UrlOwner {
  /** namespace/name of the Function. */
  readonly key: string;
  readonly alias: string | null;
}

/** The owners of function URLs by ID. An ID says its owner's names, so it never changes hands. */
export class UrlIndex {
  readonly #owners = new Map<string, UrlOwner>();

  ownerOf(id: string): UrlOwner | undefined {
    return this.#owners.get(id);
  }

  /** A function has changed; null = there was none before, or is none any more. */
  update(key: string, before: RoutedFunction | null, after: RoutedFunction | null): void {
    for (const { id } of urlsOf(before)) this.#owners.delete(id);
    for (const { id, alias } of urlsOf(after)) this.#owners.set(id, { key, alias });
  }
}

function urlsOf(fn: RoutedFunction | null): readonly RoutedUrl[] {
  if (fn === null) return [];
  const aliases = fn.aliases === null ? [] : [...fn.aliases.values()];
  return [fn, ...aliases].flatMap(({ http }) => http ?? []);
}
