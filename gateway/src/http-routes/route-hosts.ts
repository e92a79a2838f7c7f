/**
 * Host names that the install lets functions have routes at. Fixed while the process runs, so that where a request goes does not depend on
 * what is known of functions. Fails closed: a host that is not listed belongs to the install itself.
 */
export class RouteHosts {
  readonly #exact = new Map<string, Holders>();
  /** By `.example.com` for `*.example.com`, the longest first. */
  readonly #endings: readonly (readonly [ending: string, holders: Holders])[];
  readonly #isEmpty: boolean;
  /** By header, so that a request costs one look. Emptied when it is full. */
  readonly #seen = new Map<string, string | null>();

  /**
   * @param entries `HOST` for the functions of any namespace, or `HOST=NAMESPACE`, of which there may be several. Hosts are lower-case names;
   * `*.` before one stands for one or more labels. The most exact entry of a host counts.
   */
  constructor(entries: readonly string[]) {
    const endings = new Map<string, Holders>();
    for (const entry of entries) {
      const [host = '', namespace] = entry.split('=');
      if (host.startsWith('*.')) admit(endings, host.slice(1), namespace);
      else admit(this.#exact, host, namespace);
    }
    this.#endings = [...endings].sort(([a], [b]) => b.length - a.length);
    this.#isEmpty = entries.length === 0;
  }

  /** @param host lower case, without a port */
  has(host: string): boolean {
    return this.#holdersOf(host) !== undefined;
  }

  /** Whether functions of the namespace may have routes at the host. */
  admits(host: string, namespace: string): boolean {
    const holders = this.#holdersOf(host);
    return holders === 'all' || holders?.has(namespace) === true;
  }

  #holdersOf(host: string): Holders | undefined {
    const ofEnding = ([ending]: readonly [string, Holders]): boolean =>
      host.length > ending.length && host.endsWith(ending);
    return this.#exact.get(host) ?? this.#endings.find(ofEnding)?.[1];
  }

  /** The name in a Host header, when it is one of these; null = it is not. */
  hostIn(header: string): string | null {
    if (this.#isEmpty || header.length > MAX_CHARS) return null;
    const seen = this.#seen.get(header);
    if (seen !== undefined) return seen;
    if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
    const host = this.#readHost(header);
    this.#seen.set(header, host);
    return host;
  }

  #readHost(header: string): string | null {
    const colon = header.lastIndexOf(':');
    const host = (colon < 0 ? header : header.slice(0, colon)).toLowerCase();
    return this.has(host) ? host : null;
  }
}

/** Namespaces. */
type Holders = 'all' | ReadonlySet<string>;

/** @param namespace undefined = all */
function admit(holders: Map<string, Holders>, host: string, namespace: string | undefined): void {
  const before = holders.get(host) ?? new Set<string>();
  holders.set(host, namespace === undefined || before === 'all' ? 'all' : new Set([...before, namespace]));
}

/** No name and port together are longer. */
const MAX_CHARS = 260;
/** Host headers that are remembered. */
const MAX_SEEN = 1000;

/** No host is for routes. */
export const noRouteHosts = new RouteHosts([]);
