import { findCondition } from '@kappa/crds/conditions';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import { makeVersionSpec } from '@kappa/crds/version-snapshot';
import type { ImageTrial } from '../image/trial.ts';
import { codeRetryMs, imageRetryMs, maxImageRetryMs, mayRecover, type ResolvedCode } from './resolve-code.ts';
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
  /** Whether pods of a snapshot start, which nobody knows of an image before one has. */
  readonly trialOf: (spec: FunctionVersionSpec) => ImageTrial;
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
  /** The snapshot of what is wanted now; null when the code, a layer or the runtime is not there. */
  readonly next: FunctionVersionSpec | null;
  /** Its name. */
  readonly nextName: string | null;
  /** How it stands with that snapshot's image. */
  readonly trial: ImageTrial;
  /** Name of the snapshot that `status.latestVersion` shall say: the next one, or the old one while a change fails or is tried. */
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
  const { fn, versions } = observed;
  const next = nextOf(observed);
  const nextName = next === null ? null : versionName(fn, next);
  const before = fn.status?.latestVersion ?? null;
  const trial: ImageTrial = next === null || nextName === before ? { kind: 'started' } : observed.trialOf(next);
  const latestName = trial.kind === 'started' ? (nextName ?? before) : before;
  const lingerMs = fn.spec.timeoutSeconds * 1000 + lateGatewayMs;
  const superseded = versions.filter(({ name }) => name !== latestName && name !== nextName);
  const isOver = (version: VersionObserved): boolean =>
    version.pods === 0 && version.supersededAtMs !== null && version.supersededAtMs + lingerMs <= nowMs;
  return {
    next,
    nextName,
    trial,
    latestName,
    deleteVersions: superseded
      .filter(isOver)
      .map((version) => version.name)
      .sort(),
    requeueAfterMs: retryMs(observed, nowMs) ?? (superseded.some((version) => !isOver(version)) ? lingerMs : null),
  };
}

/** When something failed that may be there later; null = never. */
function retryMs({ fn, code, layers }: FunctionObserved, nowMs: number): number | null {
  for (const part of [code, layers]) {
    if (part.kind !== 'failed' || !mayRecover(part.reason)) continue;
    if (part.reason === 'InvalidImage' || part.reason === 'ImageAccessDenied') return imageRetryMs;
    return fn.spec.code.image === undefined ? codeRetryMs : registryRetryMs(fn, nowMs);
  }
  return null;
}

/** As long again as it has failed already: after 5, 10, 20 s and so on. */
function registryRetryMs({ metadata, status }: FunctionObject, nowMs: number): number {
  const failed = findCondition(status?.conditions, 'CodeResolved');
  const isSame = failed?.status === 'False' && failed.observedGeneration === metadata.generation;
  const failedMs = isSame ? nowMs - Date.parse(failed.lastTransitionTime) : 0;
  return Math.min(maxImageRetryMs, Math.max(codeRetryMs, failedMs));
}

function nextOf({ fn, code, layers, runtimes }: FunctionObserved): FunctionVersionSpec | null {
  if (code.kind === 'failed' || layers.kind === 'failed' || !hasRuntime(fn, runtimes)) return null;
  return makeVersionSpec(fn, code, layers.layers);
}

/** An image brings its own. */
export function hasRuntime({ spec }: FunctionObject, runtimes: ReadonlySet<string>): boolean {
  return spec.runtime === undefined ? spec.code.image !== undefined : runtimes.has(spec.runtime);
}

/** Name of the FunctionVersion object of a snapshot. */
export function versionName(fn: FunctionObject, spec: FunctionVersionSpec): string {
  return `${fn.metadata.name}-${spec.revision}`;
}
