import type { Pod } from '@kappa/crds/client/kinds';
import { findCondition } from '@kappa/crds/conditions';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import {
  functionLabel,
  functionNameAnnotation,
  functionNamespaceLabel,
  poolLabel,
  stateLabel,
  versionLabel,
  versionNameAnnotation,
} from '@kappa/crds/labels';
import type { PoolObject } from '@kappa/crds/pool';
import { mayRecover } from './function/resolve-code.ts';

/** Label of a pool pod: its number, which its name ends in. */
export const ordinalLabel = 'kappa.dev/ordinal';

/*
 * What the controller keeps of each object: small projections, never the objects. Everything else is read again
 * when a key is worked on.
 */

/** A Function at rest: enough to know that it needs no work. */
export interface FunctionSummary {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly isReady: boolean;
  /** This generation's code cannot be had, whatever is tried; it has been told. */
  readonly isHopeless: boolean;
  readonly runtime: string;
  readonly latestVersion: string | null;
  /** `status.pods` as written. */
  readonly pods: number;
  readonly hasUrl: boolean;
  /** `status.url` as written; null = none. */
  readonly url: string | null;
}

/** A FunctionVersion and whose it is. */
export interface VersionSummary {
  readonly namespace: string;
  readonly name: string;
  readonly functionName: string;
  readonly version: string;
}

/** A Pool: its wishes, and its status as written. */
export interface PoolSummary {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly spec: PoolObject['spec'];
  readonly status: PoolObject['status'];
}

/** A pod of a pool, as it is now. */
export interface PodSummary {
  readonly name: string;
  readonly uid: string;
  readonly pool: string;
  readonly ordinal: number;
  readonly state: 'generic' | 'claimed';
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** When its container ended, epoch ms; 0 = it runs, or nobody knows. */
  readonly finishedAtMs: number;
  /** The function and version that claimed it; null while generic. */
  readonly claim: {
    readonly functionNamespace: string;
    readonly functionName: string;
    readonly versionName: string;
  } | null;
}

/** The summary of a Function; a condition that was never written counts as not ready. */
export function summarizeFunction({ metadata, spec, status }: FunctionObject): FunctionSummary {
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    generation: metadata.generation,
    observedGeneration: status?.observedGeneration ?? 0,
    isReady: status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    isHopeless: isHopeless(metadata.generation, status),
    runtime: spec.runtime,
    latestVersion: status?.latestVersion ?? null,
    pods: status?.pods ?? 0,
    hasUrl: spec.http !== undefined,
    url: status?.url ?? null,
  };
}

/** The summary of a FunctionVersion. */
function isHopeless(generation: number, status: FunctionObject['status']): boolean {
  const code = findCondition(status?.conditions, 'CodeResolved');
  return code?.status === 'False' && code.observedGeneration === generation && !mayRecover(code.reason);
}

export function summarizeVersion({ metadata, spec }: FunctionVersionObject): VersionSummary {
  return { namespace: metadata.namespace, name: metadata.name, functionName: spec.functionName, version: spec.version };
}

/** The summary of a Pool. */
export function summarizePool({ metadata, spec, status }: PoolObject): PoolSummary {
  return { name: metadata.name, uid: metadata.uid, generation: metadata.generation, spec, status };
}

/** The summary of a pool pod; without a phase it counts as Pending. */
export function summarizePod({ metadata, status }: Pod): PodSummary {
  const { labels, annotations } = metadata;
  const isClaimed = labels[stateLabel] === 'claimed';
  return {
    name: metadata.name,
    uid: metadata.uid,
    pool: labels[poolLabel] ?? '',
    ordinal: Number(labels[ordinalLabel] ?? 0),
    state: isClaimed ? 'claimed' : 'generic',
    phase: status?.phase ?? 'Pending',
    isReady: status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    isTerminating: metadata.deletionTimestampMs !== null,
    finishedAtMs: Date.parse(status?.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? '') || 0,
    claim: isClaimed ? claimOf(labels, annotations) : null,
  };
}

/** Labels may be cut, annotations hold the full names. */
function claimOf(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): PodSummary['claim'] {
  return {
    functionNamespace: labels[functionNamespaceLabel] ?? '',
    functionName: annotations[functionNameAnnotation] ?? labels[functionLabel] ?? '',
    versionName: annotations[versionNameAnnotation] ?? labels[versionLabel] ?? '',
  };
}
