import type { Addresses } from './addresses.ts';
import type { Cgroups } from './cgroups.ts';
import { endTree } from './kill-tree.ts';
import { readRecords, removeFolders } from './pod-record.ts';
import { type PodDoors, RunningPod } from './running-pod.ts';

/** What taking over takes. */
export interface AdoptDoors {
  readonly pod: PodDoors;
  readonly addresses: Addresses;
  readonly cgroups: Cgroups | null;
}

/**
 * Takes over what an earlier node of the same state directory started. Pods whose end was recorded come back as exited, so that
 * their status is still written; those that ended meanwhile are noticed once they are watched. What was caught between decision and
 * start is ended and forgotten: the API still says Pending, so it is started anew.
 */
export async function adoptPods(doors: AdoptDoors): Promise<readonly RunningPod[]> {
  const { stateDir, clock } = doors.pod;
  const adopted: RunningPod[] = [];
  for (const [uid, record] of readRecords(stateDir)) {
    const group = doors.cgroups?.group(uid, null) ?? null;
    if (record !== null && (record.process !== null || record.exit !== null)) {
      doors.addresses.keep(record.ip);
      adopted.push(new RunningPod(record, record.hasGroup ? group : null, doors.pod));
      continue;
    }
    await endTree({ mark: uid, root: null, group }, (ms) => clock.sleep(ms));
    group?.remove();
    removeFolders(stateDir, uid);
  }
  return adopted;
}
