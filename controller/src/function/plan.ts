import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import { makeVersionSpec } from '@kappa/crds/version-snapshot';
import { codeRetryMs, mayRecover, type ResolvedCode } from './resolve-code.ts';
import type { ResolvedLayers } from './resolve-layers.ts';

/** What is known of one function when its plan is made. */
export interface FunctionObserved {
  readonly fn: FunctionObject;
  readonly code: ResolvedCode;
  readonly layers: ResolvedLayers;
  /** Its `$LATEST` snapshots that exist, current one included. */
  readonly versions: readonly VersionObserved[];
  /** Name of the Function that callers reach by this one's name; null = this one. */
  readonly nameHolder: string | null;
  /** Runtime identifiers that this install has. */
  readonly runtimes: ReadonlySet<string>;
}

/** One existing FunctionVersion. */
export interface VersionObserved {
  readonly name: string;
  /** When it stopped to be the latest, epoch ms; null while it is. */
  readonly supersededAtMs: number | null;
  /** Pods that run it. */
  readonly pods: number;
}

/** What to write. */
export interface FunctionPlan {
  /** The snapshot that `$LATEST` means; null when the code, a layer or the runtime is not there. */
  readonly latest: FunctionVersionSpec | null;
  /** Name of the snapshot that `status.latestVersion` shall say: the new one, or the old one while a change fails. */
  readonly latestName: string | null;
  /** Superseded snapshots that nothing runs any more, sorted. */
  readonly deleteVersions: readonly string[];
  /** When to look again though nothing changes; null = never. */
  readonly requeueAfterMs: number | null;
}

type FunctionVersionSpec = FunctionVersionObject['spec'];

/** A superseded version stays that long after its last possible call, so that a gateway that is late still finds it. */
const lateGatewayMs = 60_000;

/** Decides what becomes of a function and its `$LATEST` snapshots. Pure. */
export function planFunction(observed: FunctionObserved, nowMs: number): FunctionPlan {
  const { fn, code, layers, versions } = observed;
  const latest = latestOf(observed);
  const latestName = latest === null ? (fn.status?.latestVersion ?? null) : versionName(fn, latest);
  const lingerMs = fn.spec.timeoutSeconds * 1000 + lateGatewayMs;
  const superseded = versions.filter((version) => version.name !== latestName);
  const isOver = (version: VersionObserved): boolean =>
    version.pods === 0 && version.supersededAtMs !== null && version.supersededAtMs + lingerMs <= nowMs;
  const isRetried = [code, layers].some((part) => part.kind === 'failed' && mayRecover(part.reason));
  return {
    latest,
    latestName,
    deleteVersions: superseded
      .filter(isOver)
      .map((version) => version.name)
      .sort(),
    requeueAfterMs: isRetried ? codeRetryMs : superseded.some((version) => !isOver(version)) ? lingerMs : null,
  };
}

function latestOf({ fn, code, layers, runtimes }: FunctionObserved): FunctionVersionSpec | null {
  if (code.kind === 'failed' || layers.kind === 'failed' || !runtimes.has(fn.spec.runtime)) return null;
  return makeVersionSpec(fn, code, layers.layers);
}

/** Name of the FunctionVersion object of a snapshot. */
export function versionName(fn: FunctionObject, spec: FunctionVersionSpec): string {
  return `${fn.metadata.name}-${spec.revision}`;
}
