/**
 * Host names that the install lets functions have routes at. Fixed while the process runs, so that where a request goes does not depend on
 * what is known of functions. Fails closed: a host that is not listed belongs to the install itself.
 */
export class RouteHosts {
  readonly #exact = new Set<string>();
  /** `.example.com` for `*.example.com`. */
  readonly #endings: string[] = [];
  readonly #isEmpty: boolean;

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
    if (this.#isEmpty) return null;
    const colon = header.lastIndexOf(':');
    const host = (colon < 0 ? header : header.slice(0, colon)).toLowerCase();
    return this.has(host) ? host : null;
  }
}

/** No host is for routes. */
export const noRouteHosts = new RouteHosts([]);
