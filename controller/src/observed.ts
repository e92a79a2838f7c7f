import type { AliasObject } from '@kappa/crds/alias';
import type { Pod } from '@kappa/crds/client/kinds';
import { findCondition, isConditionTrue } from '@kappa/crds/conditions';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import { imagePoolName, type PoolImage, poolImageOf } from '@kappa/crds/image-pool';
import {
  functionLabel,
  functionNameAnnotation,
  functionNamespaceLabel,
  poolLabel,
  stateLabel,
  templateLabel,
  versionLabel,
  versionNameAnnotation,
} from '@kappa/crds/labels';
import type { LayerObject } from '@kappa/crds/layer';
import { functionNameOf } from '@kappa/crds/names';
import type { PoolObject } from '@kappa/crds/pool';
import type { AliasMeaning, Provisioned } from '@kappa/crds/provisioned-shares';
import type { SnapshotImage } from '@kappa/crds/version-snapshot';
import { provisionedEntries } from './function/provisioned.ts';
import { mayRecover } from './function/resolve-code.ts';
import { type ImageProblem, imageProblemOf, startProblemOf } from './image/trial.ts';

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
  /** A layer of it is not there. */
  readonly awaitsLayers: boolean;
  /** Null = it is from an image. */
  readonly runtime: string | null;
  /** What callers write; see `functionNameOf`. */
  readonly lambdaName: string;
  /** It is told that another function has its name. */
  readonly isNameTaken: boolean;
  readonly latestVersion: string | null;
  /** `status.pods` as written. */
  readonly pods: number;
  readonly provisioned: readonly Provisioned[];
  /** `status.provisioned.ready` as written. */
  readonly provisionedReady: number;
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
  readonly memoryMiB: number;
  /** Null = it is none from an image. */
  readonly image: VersionImage | null;
}

/** The image of a FunctionVersion. */
export interface VersionImage {
  /** Name of its Pool. */
  readonly pool: string;
  /** What the pods of that Pool run. */
  readonly ofPool: PoolImage;
  readonly snapshot: SnapshotImage;
}

/** An Alias and what it means. */
export interface AliasSummary {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** `metadata.name` of its Function. */
  readonly functionName: string;
  /** One or two of `$LATEST` and digits. */
  readonly versions: readonly string[];
  /** The alias's own name. */
  readonly alias: string;
  readonly meaning: AliasMeaning;
  /** The alias's own name when it has a URL, else null. */
  readonly urlAlias: string | null;
  readonly status: AliasObject['status'];
}

/** A Layer at rest. */
export interface LayerSummary {
  readonly namespace: string;
  readonly name: string;
  /** What it is now has been looked at, and another look helps nothing. */
  readonly isSettled: boolean;
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
  /** Not ready though its containers were when its node was heard last: Kubernetes has given the node up. */
  readonly isCutOff: boolean;
  readonly isTerminating: boolean;
  /** Hash of the template that it was made by; empty = older than templates. */
  readonly template: string;
  /** Where it runs; empty = nobody knows (Kubernetes tells pods' zones since 1.35). */
  readonly zone: string;
  /** Memory that it is meant to have now, MiB; 0 = no limit. */
  readonly limitMiB: number;
  /** Why its image is not there; null = it is, or nobody knows. */
  readonly imageProblem: ImageProblem | null;
  /** Why it has not come to its image yet, for people; null = it has, or nobody knows. */
  readonly startProblem: string | null;
  /** What the node says of a change of its size; null = nothing. */
  readonly resizeProblem: 'Infeasible' | 'Deferred' | null;
  /** When its container was started, epoch ms; 0 = it does not run, or nobody knows. */
  readonly startedAtMs: number;
  /** When its container ended, epoch ms; 0 = it runs, or nobody knows. */
  readonly finishedAtMs: number;
  /** The function and version that claimed it; null while generic. */
  readonly claim: {
    readonly functionNamespace: string;
    readonly functionName: string;
    readonly versionName: string;
  } | null;
}

/** Key `namespace/name` of the Function whose pod it is; null = it is generic. */
export function claimKey({ claim }: PodSummary): string | null {
  return claim === null ? null : `${claim.functionNamespace}/${claim.functionName}`;
}

/** The summary of a Function; a condition that was never written counts as not ready. */
export function summarizeFunction({ metadata, spec, status }: FunctionObject): FunctionSummary {
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    generation: metadata.generation,
    observedGeneration: status?.observedGeneration ?? 0,
    isReady: isConditionTrue(status?.conditions, 'Ready'),
    isHopeless: isHopeless(metadata.generation, status),
    awaitsLayers: findCondition(status?.conditions, 'LayersResolved')?.status === 'False',
    runtime: spec.runtime ?? null,
    lambdaName: functionNameOf({ metadata, spec }),
    isNameTaken: isConditionTrue(status?.conditions, 'NameTaken'),
    latestVersion: status?.latestVersion ?? null,
    pods: status?.pods ?? 0,
    provisioned: provisionedEntries(spec.concurrency),
    provisionedReady: status?.provisioned?.ready ?? 0,
    hasUrl: spec.http?.auth !== undefined,
    url: status?.url ?? null,
  };
}

function isHopeless(generation: number, status: FunctionObject['status']): boolean {
  return ['CodeResolved', 'LayersResolved'].some((type) => {
    const part = findCondition(status?.conditions, type);
    return part?.status === 'False' && part.observedGeneration === generation && !mayRecover(part.reason);
  });
}

/** The summary of a FunctionVersion. */
export function summarizeVersion({ metadata, spec }: FunctionVersionObject): VersionSummary {
  const { functionName, version, memoryMiB } = spec;
  const { namespace, name } = metadata;
  const ofPool = poolImageOf(namespace, spec);
  const snapshot = spec.code.image;
  const image = ofPool === null || snapshot === undefined ? null : { pool: imagePoolName(ofPool), ofPool, snapshot };
  return { namespace, name, functionName, version, memoryMiB, image };
}

/** The summary of an Alias. */
export function summarizeAlias({ metadata, spec, status }: AliasObject): AliasSummary {
  const { namespace, name, generation } = metadata;
  const second = spec.additionalVersion?.functionVersion;
  const versions = [spec.functionVersion, ...(second === undefined ? [] : [second])];
  const urlAlias = spec.http === undefined ? null : spec.name;
  const weight = (spec.additionalVersion?.weightPercent ?? 0) / 100;
  const additional = second === undefined ? null : { version: second, weight };
  const meaning = { version: spec.functionVersion, additional };
  const { functionName, name: alias } = spec;
  return { namespace, name, generation, functionName, versions, alias, meaning, urlAlias, status };
}

/** The summary of a Layer. */
export function summarizeLayer({ metadata, status }: LayerObject): LayerSummary {
  const { namespace, name, generation } = metadata;
  const ready = findCondition(status?.conditions, 'Ready');
  const isOver = ready?.status === 'True' || (ready?.status === 'False' && !mayRecover(ready.reason));
  return { namespace, name, isSettled: status?.observedGeneration === generation && isOver };
}

/** The summary of a Pool. */
export function summarizePool({ metadata, spec, status }: PoolObject): PoolSummary {
  return { name: metadata.name, uid: metadata.uid, generation: metadata.generation, spec, status };
}

/** The summary of a pool pod; without a phase it counts as Pending. */
export function summarizePod({ metadata, spec, status }: Pod): PodSummary {
  const { labels, annotations } = metadata;
  const isClaimed = labels[stateLabel] === 'claimed';
  const state = status?.containerStatuses?.[0]?.state;
  return {
    name: metadata.name,
    uid: metadata.uid,
    pool: labels[poolLabel] ?? '',
    ordinal: Number(labels[ordinalLabel] ?? 0),
    state: isClaimed ? 'claimed' : 'generic',
    phase: status?.phase ?? 'Pending',
    isReady: isConditionTrue(status?.conditions, 'Ready'),
    isCutOff: isCutOff(status),
    isTerminating: metadata.deletionTimestampMs !== null,
    template: labels[templateLabel] ?? '',
    zone: labels['topology.kubernetes.io/zone'] ?? '',
    limitMiB: mebibytesOf(spec.containers[0]?.resources?.limits?.['memory'] ?? '0'),
    imageProblem: imageProblemOf(state?.waiting),
    startProblem: startProblemOf(status),
    resizeProblem: resizeProblemOf(status),
    startedAtMs: Date.parse(state?.running?.startedAt ?? '') || 0,
    finishedAtMs: Date.parse(state?.terminated?.finishedAt ?? '') || 0,
    claim: isClaimed ? claimOf(labels, annotations) : null,
  };
}

/** Kubernetes' node controller takes back `Ready` alone; a kubelet that lives writes it together with `ContainersReady`. */
function isCutOff(status: Pod['status']): boolean {
  const ready = findCondition(status?.conditions, 'Ready')?.status;
  return ready === 'Unknown' || (ready === 'False' && isConditionTrue(status?.conditions, 'ContainersReady'));
}

/** @see https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#pod-resize-status */
function resizeProblemOf(status: Pod['status']): PodSummary['resizeProblem'] {
  const pending = findCondition(status?.conditions, 'PodResizePending');
  if (pending?.status !== 'True') return null;
  return pending.reason === 'Infeasible' ? 'Infeasible' : 'Deferred';
}

const memoryUnits: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** A quantity of memory in MiB; the API server writes `1Gi` for 1024Mi. 0 when it is none that a pool pod could have. */
export function mebibytesOf(quantity: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(quantity) ?? [];
  return (Number(digits ?? 0) * (memoryUnits[unit] ?? 0)) / 2 ** 20;
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
