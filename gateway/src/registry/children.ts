/** Objects grouped by the Function that they belong to; found again by their own key when they go. */
export class Children<V> {
  readonly #byOwner = new Map<string, Map<string, V>>();
  readonly #ownerOf = new Map<string, string>();

  /** Sets or, with null, removes. Returns the owner whose group has changed, null when nothing has. */
  set(key: string, child: { readonly owner: string; readonly value: V } | null): string | null {
    const before = this.#ownerOf.get(key) ?? null;
    if (before !== null && before !== child?.owner) this.#remove(before, key);
    if (child === null) return before;
    const group = this.#byOwner.get(child.owner) ?? new Map<string, V>();
    group.set(key, child.value);
    this.#byOwner.set(child.owner, group);
    this.#ownerOf.set(key, child.owner);
    return child.owner;
  }

  of(owner: string): readonly V[] {
    return [...(this.#byOwner.get(owner)?.values() ?? [])];
  }

  get size(): number {
    return this.#ownerOf.size;
  }

  #remove(owner: string, key: string): void {
    const group = this.#byOwner.get(owner);
    group?.delete(key);
    if (group?.size === 0) this.#byOwner.delete(owner);
    this.#ownerOf.delete(key);
  }
}
