import { hash } from 'node:crypto';

/** A gatewayId is `<name>.<8 hex>`: the name stays over restarts, and is what the ring hashes. */
export function nameOf(gatewayId: string): string {
  const dot = gatewayId.lastIndexOf('.');
  return dot === -1 ? gatewayId : gatewayId.slice(0, dot);
}

/** Score of a name for a key: hexadecimal, compared as text. */
export function scoreOf(key: string, name: string): string {
  return hash('sha256', `${key}\n${name}`, 'hex');
}

/** Names by falling score: the first one owns the key. Taking one away leaves the order of the others as it was. */
export function rankNames(key: string, names: Iterable<string>): readonly string[] {
  return [...names]
    .map((name) => ({ name, score: scoreOf(key, name) }))
    .sort((a, b) => (a.score > b.score ? -1 : 1))
    .map(({ name }) => name);
}

/**
 * The first `k` of `ranked`. Once `k` reaches the number of zones, every zone has its best one before any has two. The first of
 * `ranked` stays first.
 * @param zoneOf zone of a name; empty = unknown; all unknown ones are one zone
 */
export function takeOwners(ranked: readonly string[], k: number, zoneOf: (name: string) => string): readonly string[] {
  const zones = new Set(ranked.map(zoneOf));
  if (k < zones.size || k >= ranked.length) return ranked.slice(0, k);
  const seen = new Set<string>();
  const best: string[] = [];
  const rest: string[] = [];
  for (const name of ranked) {
    const zone = zoneOf(name);
    (seen.has(zone) ? rest : best).push(name);
    seen.add(zone);
  }
  return [...best, ...rest].slice(0, k);
}

/** Orders per key, kept until the names change; bounded. */
export class Ranking {
  readonly #limit: number;
  #names: ReadonlySet<string> = new Set();
  readonly #orders = new Map<string, readonly string[]>();

  /** @param limit keys that are remembered; > 0 */
  constructor(limit = 20_000) {
    this.#limit = limit;
  }

  /** Makes sure that all of `names` are ranked. */
  add(names: Iterable<string>): void {
    const all = new Set(this.#names);
    for (const name of names) all.add(name);
    if (all.size > this.#names.size) this.reset(all);
  }

  /** Ranks these names and no others. */
  reset(names: Iterable<string>): void {
    this.#names = new Set(names);
    this.#orders.clear();
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** All names by falling score. */
  of(key: string): readonly string[] {
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    const order = rankNames(key, this.#names);
    if (this.#orders.size >= this.#limit) {
      const oldest = this.#orders.keys().next();
      if (oldest.done !== true) this.#orders.delete(oldest.value);
    }
    this.#orders.set(key, order);
    return order;
  }
}
