import { type AdoptDoors, adoptPods } from './adopt-pods.ts';
import { type Action, planNode } from './plan.ts';
import type { PodView } from './pod.ts';
import { isAlive } from './proc.ts';
import type { PodDoors, RunningPod } from './running-pod.ts';
import { CannotStart, type StartDoors, startPod } from './start-pod.ts';
import { lostStatus, startedStatus, type Waiting, waitingStatus } from './status.ts';
import { makeStatusWriter, type StatusDoor, type StatusWriter } from './status-writer.ts';

/** The API, as far as the node writes to it. Each call may throw; it is tried again. */
export interface PodApi extends StatusDoor {
  /** Gives the pod to this node. @returns the pod as it is now; null when somebody else was faster or it is gone */
  bind(pod: PodView, nodeName: string): Promise<PodView | null>;
  /** Deletes the object now, if it is still this pod. */
  remove(pod: PodView): Promise<void>;
  /** An event on the pod, for `kubectl describe`. Never throws. */
  warn(pod: PodView, reason: string, message: string): void;
}

/** Everything the node works with. */
export interface NodeDoors {
  readonly nodeName: string;
  readonly api: PodApi;
  readonly clock: PodDoors['clock'];
  readonly log: PodDoors['log'];
  readonly start: Omit<StartDoors, 'pod'>;
  readonly stateDir: string;
}

/** Looked at again even when nothing calls: a safety net, not the way things happen. */
const resyncMs = 10_000;
/** A start that takes longer is shown as ContainerCreating. */
const slowStartMs = 100;
const firstRetryMs = 200;
const longestRetryMs = 10_000;

/**
 * A kubelet for local mode: pods of the API in, processes of this machine out, statuses back.
 *
 * Level-driven: each change of a pod, each end of a process and each elapsed time makes it compare everything that should run with
 * everything that runs (`planNode`) and do what is missing; one action per pod at a time, failures again later. Before the API's
 * list is complete it only adopts. When the API is away, pods keep running and their statuses are written later.
 */
export class ProcessNode {
  readonly #doors: NodeDoors;
  readonly #pods = new Map<string, PodView>();
  readonly #running = new Map<string, RunningPod>();
  /** Pods with an action under way, by uid. */
  readonly #busy = new Set<string>();
  readonly #retries = new Map<string, { readonly atMs: number; readonly pauseMs: number }>();
  /** Pods that could not be started, and what was said of it. */
  readonly #refused = new Map<string, string>();
  /** Views on which an action on the API has succeeded: nothing more to do there until the API shows a newer one. */
  readonly #done = new WeakSet<PodView>();
  readonly #writer: StatusWriter;
  #wake: () => void = () => {};
  #isWoken = false;

  constructor(doors: NodeDoors) {
    this.#doors = doors;
    this.#writer = makeStatusWriter(doors.api, doors.clock, (error) => {
      if (error === null) doors.log('statuses are written again', {});
      else doors.log('statuses cannot be written, pods go on', { error: String(error) });
    });
  }

  /** Takes over the pods of an earlier run. Before anything else. @returns how many still ran */
  async adopt(): Promise<number> {
    const doors: AdoptDoors = {
      pod: this.#podDoors(),
      addresses: this.#doors.start.addresses,
      cgroups: this.#doors.start.cgroups,
    };
    for (const pod of await adoptPods(doors)) {
      this.#running.set(pod.uid, pod);
      pod.watch(null);
    }
    return [...this.#running.values()].filter(({ record: { process } }) => process !== null && isAlive(process)).length;
  }

  /** What the informer says. Keys are namespace/name: a new uid under the same key replaces the old pod. */
  onPod(key: string, pod: PodView | null): void {
    const before = this.#pods.get(key);
    if (pod === null) this.#pods.delete(key);
    else this.#pods.set(key, pod);
    if (before !== undefined && before.uid !== pod?.uid && !this.#running.has(before.uid)) this.#forget(before.uid);
    const running = pod === null ? undefined : this.#running.get(pod.uid);
    if (running !== undefined && pod !== null) this.#report(running, pod);
    this.kick();
  }

  /** Works until aborted. Call it only when the list of pods is complete: pods that are missing in it are killed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = this.#doors.clock.now();
      const { actions, wakeAtMs } = planNode({
        nodeName: this.#doors.nodeName,
        nowMs,
        pods: this.#pods.values(),
        running: this.#running,
        retryAtMs: new Map([...this.#retries].map(([uid, { atMs }]) => [uid, atMs])),
      });
      for (const action of actions) {
        const isDone = 'pod' in action && this.#done.has(action.pod);
        if (!isDone && !this.#busy.has(action.uid)) void this.#act(action);
      }
      await this.#pause(Math.max(1, Math.min(wakeAtMs - nowMs, resyncMs)), signal);
    }
    for (const running of this.#running.values()) running.release();
  }

  /** Looks again soon. */
  kick(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async #act(action: Action): Promise<void> {
    const { uid } = action;
    this.#busy.add(uid);
    try {
      await this.#apply(action);
      this.#retries.delete(uid);
      this.#refused.delete(uid);
    } catch (error) {
      const pauseMs = Math.min((this.#retries.get(uid)?.pauseMs ?? firstRetryMs / 2) * 2, longestRetryMs);
      this.#retries.set(uid, { atMs: this.#doors.clock.now() + pauseMs, pauseMs });
      this.#refuse(action, error);
    } finally {
      this.#busy.delete(uid);
      this.kick();
    }
  }

  async #apply(action: Action): Promise<void> {
    const running = this.#running.get(action.uid);
    switch (action.kind) {
      case 'bind': {
        const bound = await this.#doors.api.bind(action.pod, this.#doors.nodeName);
        this.#done.add(action.pod);
        return this.#replace(action.pod, bound);
      }
      case 'start':
        return await this.#start(action.pod);
      case 'lose':
        await this.#doors.api.writeStatus(action.pod, lostStatus(action.pod, this.#doors.clock.now()));
        this.#done.add(action.pod);
        return;
      case 'resize':
        return running?.resize(action.memoryBytes);
      case 'stop':
        return running?.stop();
      case 'kill':
        return await running?.kill();
      case 'remove':
        await this.#writer.settled(action.uid);
        await this.#doors.api.remove(action.pod);
        this.#done.add(action.pod);
        return;
      case 'forget':
        return this.#forget(action.uid);
    }
  }

  async #start(pod: PodView): Promise<void> {
    const started = new AbortController();
    // A start usually takes less time than telling of it.
    void this.#doors.clock.sleep(slowStartMs, started.signal).then(() => {
      if (started.signal.aborted || this.#refused.has(pod.uid)) return;
      this.#writer.set(pod, waitingStatus(pod, this.#waiting('ContainerCreating', '')));
    });
    try {
      const running = await startPod(pod, { ...this.#doors.start, pod: this.#podDoors() });
      this.#running.set(pod.uid, running);
      this.#report(running, this.#podOf(pod.uid) ?? pod);
    } finally {
      started.abort();
    }
  }

  #forget(uid: string): void {
    const running = this.#running.get(uid);
    running?.forget();
    if (running !== undefined) this.#doors.start.addresses.release(running.record.ip);
    this.#running.delete(uid);
    this.#writer.drop(uid);
    this.#retries.delete(uid);
    this.#refused.delete(uid);
  }

  /** Uses the API's answer at once instead of waiting for the watch to bring it. */
  #replace(old: PodView, pod: PodView | null): void {
    const key = `${old.namespace}/${old.name}`;
    if (pod !== null && this.#pods.get(key) === old) this.#pods.set(key, pod);
  }

  #waiting(reason: Waiting['reason'], message: string): Waiting {
    return { reason, message, sinceMs: this.#doors.clock.now() };
  }

  /** Says once why a pod does not get on: in its status when it could not be started, else in the log. */
  #refuse(action: Action, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#refused.get(action.uid) === message) return;
    this.#refused.set(action.uid, message);
    const pod = this.#podOf(action.uid);
    this.#doors.log(`cannot ${action.kind} pod`, { pod: pod?.name ?? action.uid, error: message });
    if (!(error instanceof CannotStart) || pod === undefined) return;
    this.#writer.set(pod, waitingStatus(pod, this.#waiting(error.reason, message)));
    this.#doors.api.warn(pod, error.reason, message);
  }

  #podDoors(): PodDoors {
    const { stateDir, clock, log } = this.#doors;
    return { stateDir, clock, log, onChange: (running) => this.#onChange(running) };
  }

  #onChange(running: RunningPod): void {
    const pod = this.#podOf(running.uid);
    if (pod !== undefined) this.#report(running, pod);
    const { exit } = running.record;
    if (pod !== undefined && exit?.reason === 'OOMKilled') this.#doors.api.warn(pod, 'OOMKilling', exit.message);
    this.kick();
  }

  #report(running: RunningPod, pod: PodView): void {
    this.#writer.set(pod, startedStatus(pod, running.record));
  }

  #podOf(uid: string): PodView | undefined {
    for (const pod of this.#pods.values()) if (pod.uid === uid) return pod;
    return undefined;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) {
      this.#isWoken = false;
      // Everything that happened in the same turn is planned at once.
      await new Promise<void>((resolve) => setImmediate(resolve));
      return;
    }
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#doors.clock.sleep(ms, AbortSignal.any([woken.signal, signal]));
    this.#isWoken = false;
  }
}
