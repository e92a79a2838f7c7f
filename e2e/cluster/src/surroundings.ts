import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Programs, programPath } from './builds.ts';
import { controlName } from './plan.ts';

/** Kernel limits that several nodes on one machine reach, and how high they must be at least. */
const limits: Readonly<Record<string, number>> = {
  '/proc/sys/fs/inotify/max_user_instances': 1024,
  '/proc/sys/kernel/keys/maxkeys': 20_000,
  '/proc/sys/kernel/keys/maxbytes': 2_000_000,
};

/** Raises the kernel limits that are too low; they stay raised until the machine boots. */
export function raiseLimits(): void {
  for (const [path, least] of Object.entries(limits)) {
    try {
      if (Number(readFileSync(path, 'utf8')) < least) writeFileSync(path, String(least));
    } catch {
      // not ours to set on this machine: few pods do without
    }
  }
}

/** Writes `kubectl` and `helm` for people: they work from outside the control namespace as well as inside. */
export function writeWrappers(runDir: string, programs: Programs, kubeconfig: string): void {
  const directory = join(runDir, 'bin');
  mkdirSync(directory, { recursive: true });
  const targets = { kubectl: programPath(programs, 'kube', 'kubectl'), helm: programPath(programs, 'helm', 'helm') };
  for (const [name, target] of Object.entries(targets)) {
    const script = `#!/bin/sh\nexport KUBECONFIG="\${KUBECONFIG:-${kubeconfig}}"\nexec nsenter --net=/run/netns/${controlName} -- '${target}' "$@"\n`;
    writeFileSync(join(directory, name), script);
    chmodSync(join(directory, name), 0o755);
  }
}
