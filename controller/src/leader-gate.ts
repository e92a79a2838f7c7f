import type { Kubernetes, Leadership } from '@kappa/crds/client/kubernetes';

/** What the reconcilers do with the API server. */
export type KubernetesWrites = Pick<
  Kubernetes,
  'get' | 'create' | 'patch' | 'delete' | 'apply' | 'applyStatus' | 'event'
>;

/** A write was asked for by a process that may not write. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading';
  constructor() {
    super('not the leader: nothing may be written');
  }
}

/**
 * The only way from the reconcilers to the API server: reads pass, writes pass while the lease is fresh by the monotonic clock. A
 * process that was paused for longer than the renew deadline finds the gate shut with its first write, whatever it was in the
 * middle of, and shut it stays: a turn that was lost does not come back. Fails closed.
 *
 * *Not leading* → `lead` → *open* → stale lease seen, or `close` → *shut* for good.
 */
export class LeaderGate {
  /** Null before the lease was held. */
  #leadership: Leadership | null = null;
  #isShut = false;
  /** Writes that were sent and are not answered. */
  readonly #sent = new Set<Promise<unknown>>();

  /** Opens it. */
  lead(leadership: Leadership): void {
    this.#leadership = leadership;
  }

  /** Whether a write would pass now. */
  isOpen(): boolean {
    if (this.#leadership !== null && !this.#leadership.isLeading()) this.#isShut = true;
    return this.#leadership !== null && !this.#isShut;
  }

  /** Shuts it for good; resolves when the writes that were sent are answered, so that the lease can be given back after them. */
  async close(): Promise<void> {
    this.#isShut = true;
    await Promise.allSettled([...this.#sent]);
  }

  /** The API server behind the gate. Writes throw {@link NotLeading}; events are left out instead. */
  guard(kubernetes: KubernetesWrites): KubernetesWrites {
    const pass = <R>(write: () => Promise<R>): Promise<R> => this.#pass(write);
    return {
      get: (kind, namespace, name) => kubernetes.get(kind, namespace, name),
      create: (kind, object) => pass(() => kubernetes.create(kind, object)),
      patch: ((...call: Parameters<Kubernetes['patch']>) =>
        pass(() => kubernetes.patch(...call))) as Kubernetes['patch'], // TypeScript loses the overloads
      delete: (kind, namespace, name, options) => pass(() => kubernetes.delete(kind, namespace, name, options)),
      apply: (kind, object, manager) => pass(() => kubernetes.apply(kind, object, manager)),
      applyStatus: (kind, object, manager) => pass(() => kubernetes.applyStatus(kind, object, manager)),
      event: (regarding, text) => pass(() => kubernetes.event(regarding, text)).catch(() => undefined),
    };
  }

  async #pass<R>(write: () => Promise<R>): Promise<R> {
    if (!this.isOpen()) throw new NotLeading();
    const sent = write();
    this.#sent.add(sent);
    try {
      return await sent;
    } finally {
      this.#sent.delete(sent);
    }
  }
}
