import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerView } from './pod.ts';
import type { ProcessId } from './proc.ts';

/** How a pod's main process ended. */
export interface Exit {
  /** 0..255; 128 + signal after a signal, as shells and kubelets say it. */
  readonly code: number;
  /** The signal's number; 0 when it exited by itself. */
  readonly signal: number;
  readonly reason: 'Completed' | 'Error' | 'OOMKilled' | 'ContainerStatusUnknown';
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What the node knows of a pod it started: enough to find it again after the node itself was killed. */
export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  /** Its loopback address. */
  readonly ip: string;
  readonly hasGroup: boolean;
  readonly memoryBytes: number | null;
  readonly readiness: ContainerView['readiness'];
  /** null between the decision to start it and the start. */
  readonly process: ProcessId | null;
  readonly startedAtMs: number;
  /** Instant of the last change of readiness. */
  readonly readyChangedAtMs: number;
  readonly isReady: boolean;
  readonly exit: Exit | null;
}

/** Paths of one pod's own folder. */
export interface PodPaths {
  readonly root: string;
  readonly task: string;
  readonly opt: string;
  readonly tmp: string;
  /** What `kubectl logs` shows. */
  readonly log: string;
}

/** The folder of all pods of an install. */
export function podsFolder(stateDir: string): string {
  return join(stateDir, 'node', 'pods');
}

/** @param uid the pod's uid, one path segment */
export function podPaths(stateDir: string, uid: string): PodPaths {
  const root = join(podsFolder(stateDir), uid);
  return { root, task: join(root, 'task'), opt: join(root, 'opt'), tmp: join(root, 'tmp'), log: join(root, 'log') };
}

/** Makes the pod's folders; harmless when they exist. */
export function makeFolders(paths: PodPaths): void {
  for (const folder of [paths.task, paths.opt, paths.tmp]) mkdirSync(folder, { recursive: true });
}

/** Writes the record so that a reader sees the old or the new one, never half. */
export function writeRecord(stateDir: string, record: PodRecord): void {
  const file = join(podPaths(stateDir, record.uid).root, 'pod.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(record)}\n`);
  renameSync(`${file}.new`, file);
}

/**
 * Every pod folder with its record; null where the record is missing or unreadable (killed in the first instant).
 */
export function readRecords(stateDir: string): ReadonlyMap<string, PodRecord | null> {
  const found = new Map<string, PodRecord | null>();
  for (const uid of uidsOnDisk(stateDir)) found.set(uid, readRecord(stateDir, uid));
  return found;
}

/** Removes everything the pod wrote. A folder that user code made unreadable is opened first. */
export function removeFolders(stateDir: string, uid: string): void {
  rmSync(podPaths(stateDir, uid).root, { recursive: true, force: true, maxRetries: 3, retryDelay: 5 });
}

function uidsOnDisk(stateDir: string): string[] {
  try {
    return readdirSync(podsFolder(stateDir));
  } catch {
    return [];
  }
}

function readRecord(stateDir: string, uid: string): PodRecord | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(podPaths(stateDir, uid).root, 'pod.json'), 'utf8'));
    return parseRecord(parsed, uid);
  } catch {
    return null;
  }
}

/** Only this program writes the file, atomically; so shape and uid are all that can be wrong with it. */
function parseRecord(value: unknown, uid: string): PodRecord | null {
  const record = value as PodRecord;
  const isWhole = record !== null && record.uid === uid && typeof record.ip === 'string' && 'process' in record;
  return isWhole ? record : null;
}
