import { delimiter, dirname } from 'node:path';
import type { Addresses } from './addresses.ts';
import type { Cgroups } from './cgroups.ts';
import { BadEnvironment, type ReadKeys, resolveEnvironment } from './environment.ts';
import { endTree } from './kill-tree.ts';
import { launch } from './launch.ts';
import type { PodView } from './pod.ts';
import { makeFolders, type PodPaths, type PodRecord, podPaths, writeRecord } from './pod-record.ts';
import { type PodDoors, RunningPod } from './running-pod.ts';
import type { LocalRuntime } from './runtimes.ts';
import type { Waiting } from './status.ts';

/** What starting a pod takes. */
export interface StartDoors {
  readonly pod: PodDoors;
  /** Absolute path of the agent. */
  readonly agent: string;
  readonly runtimes: readonly LocalRuntime[];
  readonly addresses: Addresses;
  readonly cgroups: Cgroups | null;
  readonly readKeys: ReadKeys;
}

/** A pod cannot be started now: what its status should say. */
export class CannotStart extends Error {
  readonly reason: Exclude<Waiting['reason'], 'ContainerCreating'>;
  constructor(reason: CannotStart['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Lambda lets a function have 1,024 processes and threads; the rest is for the agent and the runtime's own threads. */
const maxProcesses = 1024 + 128;

/**
 * Starts a pod as a process of this machine: `agent -- interpreter bootstrap`, or the agent alone when the function brings its runtime.
 *
 * @throws CannotStart with the reason that its status shows
 */
export async function startPod(pod: PodView, doors: StartDoors): Promise<RunningPod> {
  const runtime = runtimeOf(pod, doors.runtimes);
  const ip = await doors.addresses.take().catch((error: unknown) => {
    throw new CannotStart('RunContainerError', messageOf(error), { cause: error });
  });
  try {
    return await startAt(ip, pod, runtime, doors);
  } catch (error) {
    doors.addresses.release(ip);
    if (error instanceof BadEnvironment) throw new CannotStart('CreateContainerConfigError', error.message);
    throw new CannotStart('RunContainerError', messageOf(error), { cause: error });
  }
}

/** The runtime that the pod's image stands for. @throws CannotStart ErrImagePull, with what there is instead */
export function runtimeOf(pod: PodView, runtimes: readonly LocalRuntime[]): LocalRuntime {
  const found = runtimes.find((runtime) => runtime.entry.image === pod.container.image);
  if (pod.containerCount !== 1) {
    throw new CannotStart(
      'ErrImagePull',
      `the process node runs pods of one container; this one has ${pod.containerCount}`,
    );
  }
  if (found !== undefined) return found;
  const available = runtimes.map((runtime) => runtime.entry.image).join(', ');
  throw new CannotStart(
    'ErrImagePull',
    `the process node runs no images, only the runtimes that this machine has: ${available || 'none'}; not ${pod.container.image}`,
  );
}

/** All that the pod's process finds in its environment: nothing of the developer's own but a path. */
export function processEnvironment(
  own: Readonly<Record<string, string>>,
  pod: { readonly ip: string; readonly paths: PodPaths; readonly runtime: LocalRuntime; readonly hasGroup: boolean },
): Record<string, string> {
  const { interpreter } = pod.runtime;
  const language = interpreter === null ? [] : [dirname(interpreter.path)];
  const folders = [...language, '/usr/local/bin', '/usr/bin', '/bin'];
  return {
    PATH: folders.join(delimiter),
    ...own,
    KAPPA_TASK_DIR: pod.paths.task,
    KAPPA_OPT_DIR: pod.paths.opt,
    KAPPA_TMP_DIR: pod.paths.tmp,
    KAPPA_RUNTIME_API: `${pod.ip}:9001`,
    KAPPA_FRESH_PROCESS: pod.runtime.entry.freshProcess.join(','),
    ...(pod.hasGroup ? {} : { KAPPA_ENFORCE_MEMORY: '1' }),
  };
}

async function startAt(ip: string, pod: PodView, runtime: LocalRuntime, doors: StartDoors): Promise<RunningPod> {
  const { stateDir, clock } = doors.pod;
  const own = await resolveEnvironment(pod, ip, doors.readKeys);
  const paths = podPaths(stateDir, pod.uid);
  makeFolders(paths);
  const { memoryBytes } = pod.container;
  const group = doors.cgroups?.group(pod.uid, { memoryBytes, processes: maxProcesses }) ?? null;
  const now = clock.now();
  const record: PodRecord = {
    uid: pod.uid,
    namespace: pod.namespace,
    name: pod.name,
    image: pod.container.image,
    ip,
    hasGroup: group !== null,
    memoryBytes,
    readiness: pod.container.readiness,
    process: null,
    startedAtMs: now,
    readyChangedAtMs: now,
    isReady: false,
    exit: null,
  };
  // Before the start: whatever kills the node in between, the next one finds the group and the mark, and ends the process.
  writeRecord(stateDir, record);
  try {
    const launched = await launch({
      command: [doors.agent, ...bootCommand(runtime)],
      environment: processEnvironment(own, { ip, paths, runtime, hasGroup: group !== null }),
      folder: paths.root,
      logFile: paths.log,
      procsFiles: group?.procsFiles ?? [],
    });
    const started = { ...record, process: launched.id };
    writeRecord(stateDir, started);
    const running = new RunningPod(started, group, doors.pod);
    running.watch(launched.ended);
    return running;
  } catch (error) {
    await endTree({ mark: pod.uid, root: null, group }, (ms) => clock.sleep(ms));
    group?.remove();
    throw error;
  }
}

/** The agent's arguments. */
function bootCommand({ interpreter, entry }: LocalRuntime): readonly string[] {
  return interpreter === null ? [] : ['--', interpreter.path, ...entry.bootstrap];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
