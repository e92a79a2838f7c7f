import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Drop } from './network.ts';
import type { ClusterSize } from './plan.ts';

/** What the harness remembers of the cluster between commands. */
export interface ClusterState {
  readonly size: ClusterSize;
  /** `up` has finished. */
  readonly isComplete: boolean;
  readonly drops: readonly Drop[];
  /** Directory of each build's programs. */
  readonly programs: Readonly<Record<string, string>>;
}

/** The state of the cluster in the run directory; null when there is none. Throws SyntaxError for a broken file. */
export function readState(runDir: string): ClusterState | null {
  const path = join(runDir, 'state.json');
  return existsSync(path) ? parseState(readFileSync(path, 'utf8')) : null;
}

/** Replaces the state at once. */
export function writeState(runDir: string, state: ClusterState): void {
  mkdirSync(runDir, { recursive: true });
  writeFileSync(join(runDir, 'state.json.new'), JSON.stringify(state, null, 2));
  renameSync(join(runDir, 'state.json.new'), join(runDir, 'state.json'));
}

function parseState(text: string): ClusterState {
  const parsed: Partial<ClusterState> = JSON.parse(text);
  if (!parsed.size || !parsed.drops || !parsed.programs) throw new SyntaxError('state.json lacks a part');
  return { size: parsed.size, isComplete: parsed.isComplete === true, drops: parsed.drops, programs: parsed.programs };
}
