import { constants } from 'node:os';
import type { PodGroup } from './cgroups.ts';
import { endTree, signal, type Tree } from './kill-tree.ts';
import { trimLog } from './log-file.ts';
import type { RunningView } from './plan.ts';
import { type Exit, type PodRecord, podPaths, removeFolders, writeRecord } from './pod-record.ts';
import { isAlive, sameProcess } from './proc.ts';
import { watchReadiness } from './readiness.ts';

/** What a running pod needs from outside. */
export interface PodDoors {
  readonly stateDir: string;
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  /** Something that the API should know has changed. */
  readonly onChange: (pod: RunningPod) => void;
  /** Something a person should know. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** How a child ended; null when it was no child of this process. */
export type ChildEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null;

const adoptedPollMs = 100;
const logPollMs = 1000;

/**
 * One started pod, from its start (or adoption) until it is forgotten.
 *
 * Lives: running → (SIGTERM) stopping → exited → forgotten. It is `exited` only when the last process of its tree is gone:
 * whoever outlives the agent is killed first. Every change is on disk before it is told.
 */
export class RunningPod implements RunningView {
  #record: PodRecord;
  #isStopping = false;
  readonly #tree: Tree;
  readonly #group: PodGroup | null;
  readonly #doors: PodDoors;
  readonly #life = new AbortController();
  readonly #ended = Promise.withResolvers<void>();

  /** @param group null when the machine has no usable control groups */
  constructor(record: PodRecord, group: PodGroup | null, doors: PodDoors) {
    this.#record = record;
    this.#group = group;
    this.#doors = doors;
    this.#tree = { mark: record.uid, root: record.process, group };
  }

  get uid(): string {
    return this.#record.uid;
  }

  get record(): PodRecord {
    return this.#record;
  }

  get state(): RunningView['state'] {
    return this.#record.exit === null ? 'running' : 'exited';
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get memoryBytes(): number | null {
    return this.#record.memoryBytes;
  }

  /**
   * Begins to watch: end of the process, readiness, size of the log.
   *
   * @param ended end of the own child; null for an adopted process, which is polled
   */
  watch(ended: Promise<ChildEnd> | null): void {
    if (this.state === 'exited') return;
    const { clock } = this.#doors;
    const { signal: aborted } = this.#life;
    const sleep = (ms: number) => clock.sleep(ms, aborted);
    void (ended ?? this.#pollEnd(sleep)).then((end) => this.#onEnd(end));
    void this.#keepLogShort(sleep);
    const { ip, isReady: wasReady, readiness } = this.#record;
    const onChange = (isReady: boolean) => this.#change({ isReady, readyChangedAtMs: clock.now() });
    if (readiness !== null) void watchReadiness({ ip, probe: readiness, wasReady, sleep, signal: aborted, onChange });
    else if (!wasReady) onChange(true);
  }

  /** Asks the agent to end. */
  stop(): void {
    this.#isStopping = true;
    const { process } = this.#record;
    if (process !== null && isAlive(process)) signal(process.pid, 'SIGTERM');
  }

  /** Kills the whole tree and waits for the end. @throws Error when a process cannot be killed (call again later) */
  async kill(): Promise<void> {
    this.#isStopping = true;
    if (!(await endTree(this.#tree, (ms) => this.#doors.clock.sleep(ms))))
      throw new Error('processes cannot be killed');
    await this.#ended.promise;
  }

  /** @throws Error when the kernel refuses the limit (more is in use) */
  resize(memoryBytes: number | null): void {
    // -1 is "no limit" for cgroup v1 only, and a pool pod always has one; a limit that is taken away stays in force.
    if (memoryBytes !== null) this.#group?.setMemory(memoryBytes);
    this.#change({ memoryBytes });
  }

  /** Frees the folder and the group. Only after the end. @throws Error when something cannot be removed yet */
  forget(): void {
    this.#life.abort();
    if (this.#group?.remove() === false) throw new Error('control group is still in use');
    removeFolders(this.#doors.stateDir, this.uid);
  }

  /** Stops watching and leaves the processes alone: the node ends, the pod lives on. */
  release(): void {
    this.#life.abort();
  }

  async #pollEnd(sleep: (ms: number) => Promise<void>): Promise<ChildEnd> {
    const { process } = this.#record;
    while (process !== null && isAlive(process) && !this.#life.signal.aborted) await sleep(adoptedPollMs);
    const zombie = process === null ? null : sameProcess(process);
    return zombie?.state === 'Z' ? endOfZombie(zombie.waitStatus) : null;
  }

  async #onEnd(end: ChildEnd): Promise<void> {
    if (this.#life.signal.aborted) return;
    // Counted before the rest is killed, as those kills say nothing about memory.
    const oomKills = this.#group?.oomKills() ?? 0;
    const isGone = await endTree(this.#tree, (ms) => this.#doors.clock.sleep(ms));
    if (!isGone) this.#doors.log('processes of a pod cannot be killed', { pod: this.#record.name });
    this.#life.abort();
    this.#change({ exit: exitOf(end, oomKills, this.#doors.clock.now()), isReady: false });
    this.#ended.resolve();
  }

  async #keepLogShort(sleep: (ms: number) => Promise<void>): Promise<void> {
    const { log: file } = podPaths(this.#doors.stateDir, this.uid);
    while (!this.#life.signal.aborted) {
      if (trimLog(file)) this.#doors.log('log was cut to its newest half', { pod: this.#record.name });
      await sleep(logPollMs);
    }
  }

  #change(change: Partial<PodRecord>): void {
    this.#record = { ...this.#record, ...change };
    try {
      writeRecord(this.#doors.stateDir, this.#record);
    } catch (error) {
      // Fails open: a full disk may cost the adoption after the next restart, not the pod.
      this.#doors.log('record of a pod cannot be written', { pod: this.#record.name, error: String(error) });
    }
    this.#doors.onChange(this);
  }
}

/** What a kubelet would report of the end. */
export function exitOf(end: ChildEnd, oomKills: number, atMs: number): Exit {
  if (end === null) {
    const message = 'the pod ended while no node watched it; its exit code is not known';
    return { code: 137, signal: 0, reason: 'ContainerStatusUnknown', message, atMs };
  }
  const number = end.signal === null ? 0 : constants.signals[end.signal];
  const code = end.code ?? 128 + number;
  if (code !== 0 && oomKills > 0) {
    return {
      code,
      signal: number,
      reason: 'OOMKilled',
      message: `${oomKills} processes killed for want of memory`,
      atMs,
    };
  }
  return { code, signal: number, reason: code === 0 ? 'Completed' : 'Error', message: '', atMs };
}

/** @see wait(2): low seven bits are the signal, the next byte is the exit code */
function endOfZombie(waitStatus: number): ChildEnd {
  const number = waitStatus & 0x7f;
  if (number === 0) return { code: (waitStatus >> 8) & 0xff, signal: null };
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { code: null, signal: isSignal(name) ? name : 'SIGKILL' };
}

function isSignal(name: string | undefined): name is NodeJS.Signals {
  return name !== undefined && name in constants.signals;
}
