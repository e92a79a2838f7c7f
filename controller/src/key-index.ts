/** Keys by the group that they are in: what an informer's cache is asked for again and again, without walking through it. */
export class KeyIndex {
  readonly #groupOf = new Map<string, string>();
  readonly #keysOf = new Map<string, Set<string>>();

  /** Puts a key into a group (null: into none). Answers the group that it was in before; null = none. */
  set(key: string, group: string | null): string | null {
    const before = this.#groupOf.get(key) ?? null;
    if (before === group) return before;
    if (before !== null) this.#remove(key, before);
    if (group !== null) {
      this.#groupOf.set(key, group);
      const keys = this.#keysOf.get(group) ?? new Set();
      this.#keysOf.set(group, keys.add(key));
    }
    return before;
  }

  /** The keys of a group, in no order. */
  keysOf(group: string): readonly string[] {
    return [...(this.#keysOf.get(group) ?? [])];
  }

  /** Whether a group has keys. */
  has(group: string): boolean {
    return this.#keysOf.has(group);
  }

  /** Groups that have keys. */
  groups(): readonly string[] {
    return [...this.#keysOf.keys()];
  }

  #remove(key: string, group: string): void {
    this.#groupOf.delete(key);
    const keys = this.#keysOf.get(group);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(group);
  }
}

/** What the keys of an index mean, as far as it is there. */
export function found<P>(keys: readonly string[], cache: { get(key: string): P | undefined }): readonly P[] {
  return keys.flatMap((key) => cache.get(key) ?? []);
}

/** The name in a key `namespace/name`. */
export function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
