/** A collection at one moment. */
export interface Moment<T> {
  readonly version: number;
  readonly items: readonly T[];
}

/**
 * Lists of the fake API server that are under way. As with the real one all pages show the moment of the first, whatever changes
 * in between, and say its version; once the history up to then is compacted, the rest cannot be had.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export class FakeLists<T> {
  readonly #rests = new Map<string, Moment<T>>();
  #tokens = 0;

  /**
   * A page, and the token of the next one when there is more.
   *
   * @param token of the page before; null begins a list of `now`
   * @param limit items in a page; 0 = all
   * @returns null when what the token stands for is forgotten
   */
  page(token: string | null, limit: number, now: Moment<T>): (Moment<T> & { readonly next: string | null }) | null {
    const rest = token === null ? now : this.#rests.get(token);
    if (rest === undefined) return null;
    const size = limit === 0 ? rest.items.length : limit;
    const page = { version: rest.version, items: rest.items.slice(0, size) };
    if (rest.items.length <= size) return { ...page, next: null };
    const next = `token-${++this.#tokens}`;
    this.#rests.set(next, { version: rest.version, items: rest.items.slice(size) });
    return { ...page, next };
  }

  /** History is gone. */
  forget(): void {
    this.#rests.clear();
  }
}
