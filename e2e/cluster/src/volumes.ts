import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What is read of a PersistentVolume. */
interface VolumeJson {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly local?: { readonly path: string } };
  readonly status: { readonly phase: string };
}

/** kubectl, as it is needed here. */
type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/**
 * Empties the local disks whose claims are gone and offers them again. Kubernetes leaves that to whoever made them: a
 * disk without a provisioner is used once.
 */
export async function recycleVolumes(kubectl: Kubectl, volumes: readonly object[]): Promise<void> {
  const { items }: { readonly items: readonly VolumeJson[] } = JSON.parse(await kubectl(['get', 'pv', '-o', 'json']));
  const released = items.filter((volume) => volume.status.phase === 'Released' && volume.spec.local !== undefined);
  if (released.length === 0) return;
  await kubectl(['delete', 'pv', ...released.map((volume) => volume.metadata.name)]);
  for (const volume of released) empty(volume.spec.local?.path ?? '');
  await kubectl(
    ['apply', '--server-side', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: volumes }),
  );
}

function empty(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
}
