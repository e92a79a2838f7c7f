import { type Pod, pods } from '@kappa/crds/client/kinds';
import type { Informer, Kubernetes } from '@kappa/crds/client/kubernetes';
import { functionLabel, poolLabel, stateLabel } from '@kappa/crds/labels';
import { eventually } from '@kappa/e2e/eventually';

/** A pod takes so long to end at most, unless the signal that ends it was lost. */
const stuckAfterMs = 20_000;

/** A pod as the API server shows it. */
export interface PodView {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly node: string;
  /** Empty: not a pool's. */
  readonly pool: string;
  readonly isGeneric: boolean;
  /** Name of the function object that it runs, or empty. */
  readonly fn: string;
  readonly isReady: boolean;
  readonly isOver: boolean;
  readonly isLeaving: boolean;
}

/** The pods of one namespace and when they changed, as a watch tells it: no kubectl runs beside a measurement. */
export class PodWatch {
  readonly #namespace: string;
  readonly #pods: Informer<PodView>;
  /** When a pod was first seen to be ready, by key, on the clock of `performance.now()`. Of pods that exist. */
  readonly #readyAtMs = new Map<string, number>();
  /** When a pod was first seen to be on its way out, likewise. */
  readonly #leavingSinceMs = new Map<string, number>();

  /** @param signal ends the watch */
  constructor(kubernetes: Kubernetes, namespace: string, signal: AbortSignal) {
    this.#namespace = namespace;
    const onChange = (key: string, pod: PodView | null): void => this.#note(key, pod);
    this.#pods = kubernetes.watch(pods, { namespace, project: viewPod, onChange, signal });
  }

  whenSynced(): Promise<void> {
    return this.#pods.whenSynced();
  }

  /** Pods that have not ended; without those that were told to a while ago, do not, and so disturb nobody. */
  live(): readonly PodView[] {
    const nowMs = performance.now();
    const isStuck = (key: string): boolean => nowMs - (this.#leavingSinceMs.get(key) ?? nowMs) > stuckAfterMs;
    return this.#pods.entries().flatMap(([key, pod]) => (pod.isOver || isStuck(key) ? [] : [pod]));
  }

  /** Waits until a pool's pods are exactly `size` ready generic ones: none runs a function, starts or ends. */
  async poolAtRest(pool: string, size: number): Promise<void> {
    const isAtRest = async (): Promise<boolean> => {
      const own = this.live().filter((pod) => pod.pool === pool);
      return own.length === size && own.every((pod) => pod.isGeneric && pod.isReady && !pod.isLeaving);
    };
    await eventually(`pool ${pool} is at rest with ${size} pods`, isAtRest, 180_000);
  }

  /** Waits until a pod is Ready; answers when it was first seen so, on the clock of `performance.now()`. */
  readyAtMs(name: string): Promise<number> {
    return eventually(`${name} is ready`, async () => this.#readyAtMs.get(this.#keyOf(name)), 60_000);
  }

  /** Waits until a pod is Ready. */
  async ready(name: string): Promise<PodView> {
    await this.readyAtMs(name);
    const pod = this.#pods.get(this.#keyOf(name));
    if (pod === undefined) throw new Error(`${name} is gone`);
    return pod;
  }

  /** Waits until no pod with that name exists. */
  async gone(name: string): Promise<void> {
    await eventually(`${name} is gone`, async () => this.#pods.get(this.#keyOf(name)) === undefined, 60_000);
  }

  /** The pod that runs a function, once its label says so. */
  podOf(fn: string): Promise<PodView> {
    return eventually(`a pod runs ${fn}`, async () => this.live().find((pod) => pod.fn === fn));
  }

  /** Waits until no pod runs a function of which `isMeant` is true. */
  async noneRuns(isMeant: (fn: string) => boolean): Promise<void> {
    const isSo = async (): Promise<boolean> => this.live().every(({ fn }) => fn === '' || !isMeant(fn));
    await eventually('pods of functions have ended', isSo, 120_000);
  }

  #keyOf(name: string): string {
    return `${this.#namespace}/${name}`;
  }

  #note(key: string, pod: PodView | null): void {
    const note = (times: Map<string, number>, isSo: boolean | undefined): void => {
      if (pod === null) times.delete(key);
      else if (isSo && !times.has(key)) times.set(key, performance.now());
    };
    note(this.#readyAtMs, pod?.isReady);
    note(this.#leavingSinceMs, pod?.isLeaving);
  }
}

function viewPod({ metadata, spec, status }: Pod): PodView {
  const { labels } = metadata;
  return {
    name: metadata.name,
    uid: metadata.uid,
    ip: status?.podIP ?? '',
    node: spec.nodeName ?? '',
    pool: labels[poolLabel] ?? '',
    isGeneric: labels[stateLabel] === 'generic',
    fn: labels[functionLabel] ?? '',
    isReady: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    isOver: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    isLeaving: metadata.deletionTimestampMs !== null,
  };
}
