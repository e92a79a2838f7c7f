import { accountIdOf, defaultAccountId } from '@kappa/crds/accounts';
import type { Informer } from '@kappa/crds/client/informer';
import { layers, namespaces } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type LayerSummary, summarizeLayer } from './observed.ts';

/** What the view of layers is made with. */
export interface LayerViewDeps {
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  readonly signal: AbortSignal;
  /** A Layer (`namespace/name`) is new, changed or gone. */
  readonly layerChanged: (key: string) => void;
}

/** Layers, and whose account a namespace is: what functions need to find those of others. */
export class LayerView {
  readonly layers: Informer<LayerSummary>;
  /** Account ids by namespace. */
  readonly #accounts: Informer<string>;

  constructor({ kubernetes, signal, layerChanged }: LayerViewDeps) {
    this.layers = kubernetes.watch(layers, { project: summarizeLayer, onChange: layerChanged, signal });
    this.#accounts = kubernetes.watch(namespaces, {
      project: ({ metadata }) => accountIdOf(metadata.name, metadata.labels),
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
    return this.#accounts.get(namespace) ?? accountIdOf(namespace);
  }

  /** The namespace that is an account; of several the first by name, as the gateways choose; undefined = none. */
  namespaceOf(accountId: string): string | undefined {
    const [first] = [...this.#accounts.entries()].flatMap(([name, id]) => (id === accountId ? [name] : [])).sort();
    return first ?? (accountId === defaultAccountId ? 'default' : undefined);
  }
}
