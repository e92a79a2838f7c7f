import { readFileSync } from 'node:fs';

/** The text of a manifest of this package, by its file name without ending, e.g. `functions`. */
export function readManifest(name: string): string {
  return readFileSync(new URL(`../manifests/${name}.yaml`, import.meta.url), 'utf8');
}
