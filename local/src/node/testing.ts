import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cgroups, findCgroups } from './cgroups.ts';
import type { PodView } from './pod.ts';
import type { PodDoors } from './running-pod.ts';
import type { LocalRuntime } from './runtimes.ts';

/** A pod as a pool makes it, bound to node `local-a`. */
export function podView(change: Partial<PodView> = {}, container: Partial<PodView['container']> = {}): PodView {
  return {
    uid: '00000000-0000-4000-8000-000000000001',
    namespace: 'kappa-functions',
    name: 'nodejs24.x-abcde',
    generation: 1,
    resourceVersion: '1',
    nodeName: 'local-a',
    phase: 'Pending',
    deletion: null,
    containerCount: 1,
    ...change,
    container: {
      name: 'runtime',
      image: 'test/sh:1',
      environment: [],
      memoryBytes: 128 * 1024 * 1024,
      resources: { limits: { memory: '128Mi' } },
      readiness: null,
      ...container,
    },
  };
}

/** Waits for a condition; the deadline is far above what a slow machine needs. */
export async function eventually<T>(
  what: string,
  look: () => T | null | undefined | false,
  withinMs = 15_000,
): Promise<T> {
  for (const endsAt = Date.now() + withinMs; Date.now() < endsAt; ) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    await delay(10);
  }
  throw new Error(`not within ${withinMs / 1000} s: ${what}`);
}

/** The real clock. */
export const realClock: PodDoors['clock'] = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

/** A folder under the system's temporary one, and how to remove it. */
export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'kappa-node-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** This machine's control groups, when it has usable ones. */
export function machineCgroups(name: string): Cgroups | null {
  return findCgroups(name, readFileSync('/proc/mounts', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
}

/**
 * Stands in for the agent: takes `-- interpreter arguments` and becomes it, so that a test says in shell what a pod does.
 *
 * @returns path of the program
 */
export function makeAgent(folder: string): string {
  const file = join(folder, 'agent');
  writeFileSync(file, '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o755 });
  return file;
}

/** A runtime whose bootstrap is a shell script: what the pods of `image` do. */
export function shellRuntime(script: string, image = 'test/sh:1'): LocalRuntime {
  return {
    entry: {
      id: 'sh',
      family: 'sh',
      version: '1',
      image,
      interpreters: ['sh'],
      bootstrap: ['-c', script],
      freshProcess: ['LD_*'],
    },
    interpreter: { path: '/bin/sh', version: '1' },
    isExact: true,
  };
}
