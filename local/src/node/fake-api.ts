import type { PodApi } from './node.ts';
import type { PodView } from './pod.ts';

/** The part of a pod's status that tests look at. */
export type Status = {
  readonly phase?: string;
  readonly podIP?: string;
  readonly conditions?: { type: string; status: string }[];
  readonly containerStatuses?: {
    state: Record<string, { reason?: string; message?: string; exitCode?: number; signal?: number }>;
    resources?: unknown;
  }[];
};

/** Stands in for the API server, as far as this node sees one: keeps pods and statuses, and can be away. */
export class FakeApi implements PodApi {
  readonly statuses = new Map<string, Status>();
  readonly removed: string[] = [];
  readonly warnings: string[] = [];
  isAway = false;
  async bind(pod: PodView, nodeName: string): Promise<PodView> {
    this.#check();
    return { ...pod, nodeName };
  }
  async writeStatus(pod: PodView, status: object): Promise<void> {
    this.#check();
    this.statuses.set(pod.uid, status);
  }
  async remove(pod: PodView): Promise<void> {
    this.#check();
    this.removed.push(pod.uid);
  }
  warn(_pod: PodView, reason: string): void {
    this.warnings.push(reason);
  }
  #check(): void {
    if (this.isAway) throw new Error('connection refused');
  }
}
