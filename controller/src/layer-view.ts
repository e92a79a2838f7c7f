import { accountIdOf, defaultAccountId, defaultNamespaceIn, otherRegionOf, placeOf } from '@kappa/crds/accounts';
import type { Informer } from '@kappa/crds/client/informer';
import { layers, namespaces } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type LayerSummary, summarizeLayer } from './observed.ts';

/** What the view of layers is made with. */
export interface LayerViewDeps {
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  readonly signal: AbortSignal;
  /** The install's own. */
  readonly region: string;
  /** A Layer (`namespace/name`) is new, changed or gone. */
  readonly layerChanged: (key: string) => void;
}

/** Layers, and whose account a namespace is: what functions need to find those of others. */
export class LayerView {
  readonly layers: Informer<LayerSummary>;
  readonly #region: string;
  /** Account, and `placeOf` it, by namespace. */
  readonly #accounts: Informer<{ readonly accountId: string; readonly place: string }>;

  constructor({ kubernetes, signal, region, layerChanged }: LayerViewDeps) {
    this.#region = region;
    this.layers = kubernetes.watch(layers, { project: summarizeLayer, onChange: layerChanged, signal });
    this.#accounts = kubernetes.watch(namespaces, {
      project: ({ metadata: { name, labels } }) => {
        const accountId = accountIdOf(name, labels);
        return { accountId, place: placeOf(accountId, otherRegionOf(labels, region)) };
      },
      onChange: () => undefined,
      signal,
    });
  }

  /** Names of the caches that are not filled yet. */
  get unsynced(): readonly string[] {
    const caches = { layers: this.layers, namespaces: this.#accounts };
    return Object.entries(caches).flatMap(([name, { hasSynced }]) => (hasSynced ? [] : [`${name} not listed yet`]));
  }

  async whenSynced(): Promise<void> {
    await Promise.all([this.layers.whenSynced(), this.#accounts.whenSynced()]);
  }

  accountOf(namespace: string): string {
    return this.#accounts.get(namespace)?.accountId ?? accountIdOf(namespace);
  }

  /** The namespace that is an account in a region; of several the first by name, as the gateways choose; undefined = none. */
  namespaceOf(accountId: string, region: string): string | undefined {
    const isOwn = region === this.#region;
    const asked = placeOf(accountId, isOwn ? undefined : region);
    const [first] = [...this.#accounts.entries()]
      .flatMap(([name, { place }]) => (place === asked ? [name] : []))
      .sort();
    if (first !== undefined || accountId !== defaultAccountId) return first;
    return isOwn ? 'default' : defaultNamespaceIn(region);
  }
}
