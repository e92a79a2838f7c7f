import { accountIdOf, defaultAccountId, defaultNamespaceIn, placeOf } from '@kappa/crds/accounts';

import type { RoutedFunction } from './routing.ts';

/** What a namespace is. */
export interface Place {
  readonly accountId: string;
  /** Undefined = the install's own. */
  readonly region: string | undefined;
}

/** Which account in which region a namespace is, and where each has its functions. An account of another region shares nothing but its number. */
export class Places {
  readonly #byNamespace = new Map<string, Place>();
  /** `placeOf` → Lambda's name → namespace/name. */
  #names: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map();

  /** @param place null = the namespace is gone; returns whether it says anything new */
  set(namespace: string, place: Place | null): boolean {
    const known = this.#byNamespace.get(namespace);
    if (place?.accountId === known?.accountId && place?.region === known?.region) return false;
    if (place === null) this.#byNamespace.delete(namespace);
    else this.#byNamespace.set(namespace, place);
    return true;
  }

  of(namespace: string): Place {
    return this.#byNamespace.get(namespace) ?? { accountId: accountIdOf(namespace), region: undefined };
  }

  /** The namespaces that are an account, by name. @param region undefined = in the install's own */
  namespacesOf(accountId: string, region: string | undefined): readonly string[] {
    const isMeant = (place: Place): boolean => place.accountId === accountId && place.region === region;
    const found = [...this.#byNamespace].flatMap(([name, place]) => (isMeant(place) ? [name] : [])).sort();
    if (found.length > 0 || accountId !== defaultAccountId) return found;
    return [region === undefined ? 'default' : defaultNamespaceIn(region)];
  }

  /** namespace/name of the function that has a name there. @param place see `placeOf` */
  keyOf(place: string, functionName: string): string | undefined {
    return this.#names.get(place)?.get(functionName);
  }

  /** namespace/name of all functions there. */
  keysOf(place: string): readonly string[] {
    return [...(this.#names.get(place)?.values() ?? [])];
  }

  /** When two objects claim one name in one account, the first by namespace/name has it: the same on every gateway. @param routed by namespace/name */
  index(routed: ReadonlyMap<string, RoutedFunction>): void {
    const places = new Map<string, Map<string, string>>();
    for (const [key, fn] of routed) {
      const place = placeOf(fn.accountId, fn.region);
      const names = places.get(place) ?? new Map<string, string>();
      places.set(place, names);
      const holder = names.get(fn.functionName);
      if (holder === undefined || key < holder) names.set(fn.functionName, key);
    }
    this.#names = places;
  }
}
