/**
 * Host names that the install lets functions have routes at. Fixed while the process runs, so that where a request goes does not depend on
 * what is known of functions. Fails closed: a host that is not listed belongs to the install itself.
 */
export class RouteHosts {
  readonly #exact = new Set<string>();
  /** `.example.com` for `*.example.com`. */
  readonly #endings: string[] = [];
  readonly #isEmpty: boolean;
  /** By header, so that a request costs one look. Emptied when it is full. */
  readonly #seen = new Map<string, string | null>();

  /** @param patterns lower-case names; `*.` before one stands for one or more labels */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      if (pattern.startsWith('*.')) this.#endings.push(pattern.slice(1));
      else this.#exact.add(pattern);
    }
    this.#isEmpty = patterns.length === 0;
  }

  /** @param host lower case, without a port */
  has(host: string): boolean {
    if (this.#exact.has(host)) return true;
    return this.#endings.some((ending) => host.length > ending.length && host.endsWith(ending));
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

/** No name and port together are longer. */
const MAX_CHARS = 260;
/** Host headers that are remembered. */
const MAX_SEEN = 1000;

/** No host is for routes. */
export const noRouteHosts = new RouteHosts([]);
