import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Cgroups, findCgroups } from './cgroups.ts';

/** Ports that every pod listens on: link, health, Runtime API. */
export const podPorts: readonly number[] = [9100, 9101, 9001];

/** The control groups of the install with this state directory; null when the machine gives none. */
export function cgroupsOf(stateDir: string): Cgroups | null {
  const name = `kappa-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;
  return findCgroups(name, readFileSync('/proc/mounts', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
}
