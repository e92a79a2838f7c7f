import { isDeepStrictEqual } from 'node:util';
import { isNotFound } from '@kappa/crds/client/errors';
import { functions, functionVersions } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { FunctionObject } from '@kappa/crds/function';
import { childMetadata, type SnapshotImage, type SnapshotLayer } from '@kappa/crds/version-snapshot';
import { type ImageSources, resolveImage } from '../image/resolve-image.ts';
import type { FunctionSummary } from '../observed.ts';
import type { Requeue } from '../work-queue.ts';
import { type FunctionObserved, type FunctionPlan, planFunction, type VersionObserved } from './plan.ts';
import { type CodeSources, type ResolvedCode, resolveCode } from './resolve-code.ts';
import { type LayerSources, resolveLayers } from './resolve-layers.ts';
import { makeFunctionStatus } from './status.ts';

/** What the function reconciler is given. */
export interface FunctionWorld {
  readonly kubernetes: Pick<Kubernetes, 'get' | 'apply' | 'applyStatus' | 'delete' | 'event'>;
  /** The function of a key, or undefined when there is none (any more). */
  readonly find: (key: string) => FunctionSummary | undefined;
  /** Its `$LATEST` snapshots. */
  readonly versionsOf: (fn: FunctionSummary) => readonly VersionObserved[];
  /** Name of the Function that callers reach by its name; null = this one. */
  readonly nameHolderOf: (fn: FunctionSummary) => string | null;
  /** Pods that run it. */
  readonly podsOf: (fn: FunctionSummary) => number;
  /** Execution environments that are provisioned for it and ready. */
  readonly provisionedReadyOf: (fn: FunctionSummary) => number;
  /** Images of its `$LATEST` snapshots. */
  readonly imagesOf: (fn: FunctionSummary) => readonly SnapshotImage[];
  /** Whether pods of a snapshot in a namespace start. */
  readonly trialOf: (
    namespace: string,
    spec: Parameters<FunctionObserved['trialOf']>[0],
  ) => ReturnType<FunctionObserved['trialOf']>;
  readonly code: CodeSources;
  readonly images: ImageSources;
  readonly layers: LayerSources;
  readonly runtimes: ReadonlySet<string>;
  /** Public address of a function's URL. */
  readonly urlOf: (namespace: string, name: string) => string;
  readonly nowMs: () => number;
}

/** Field manager of everything the controller writes. */
const manager = 'kappa-controller';

/** Brings one function to its desired state: observe → plan → apply → status. */
export async function reconcileFunction(key: string, world: FunctionWorld): Promise<Requeue> {
  const summary = world.find(key);
  if (summary === undefined) return {}; // its versions go with it (owner reference), its pods by the pool's plan
  const versions = world.versionsOf(summary);
  const pods = world.podsOf(summary);
  const nameHolder = world.nameHolderOf(summary);
  const provisionedReady = world.provisionedReadyOf(summary);
  const isTold = summary.url === urlOf(summary, summary.hasUrl, world) && summary.isNameTaken === (nameHolder !== null);
  if (isTold && summary.provisionedReady === provisionedReady && isSettled(summary, versions, pods)) return {};
  const fn = await readAgain(summary, world);
  if (fn === null) return {};
  const code = await resolve(fn, world.imagesOf(summary), world);
  const layers = await resolveLayers(fn, await keptLayers(fn, world), world.layers);
  const context = {
    fn,
    code,
    layers,
    versions,
    nameHolder,
    runtimes: world.runtimes,
    trialOf: (spec: Parameters<FunctionObserved['trialOf']>[0]) => world.trialOf(fn.metadata.namespace, spec),
    pods,
    provisionedReady,
    url: urlOf(fn.metadata, fn.spec.http?.auth !== undefined, world),
  };
  const plan = planFunction(context, world.nowMs());
  await applyPlan(fn, plan, world);
  await writeStatus(fn, makeFunctionStatus(context, plan, world.nowMs()), world);
  return plan.requeueAfterMs === null ? {} : { requeueAfterMs: plan.requeueAfterMs };
}

function resolve(
  { spec }: FunctionObject,
  known: readonly SnapshotImage[],
  { code, images }: FunctionWorld,
): Promise<ResolvedCode> {
  return spec.code.image === undefined ? resolveCode(spec.code, code) : resolveImage(spec, known, images);
}

/** Nothing to do: seen, ready (or beyond help), no other version, and the pod count is written. Saves reading every function at each start. */
function isSettled(fn: FunctionSummary, versions: readonly VersionObserved[], pods: number): boolean {
  const isSeen = fn.generation === fn.observedGeneration && fn.pods === pods;
  const hasLatest = versions.every(({ name }) => name === fn.latestVersion);
  return isSeen && hasLatest && (fn.isHopeless || ((fn.isReady || fn.isNameTaken) && versions.length === 1));
}

/** Layers of the snapshot that `$LATEST` means until now. */
async function keptLayers(
  { metadata, spec, status }: FunctionObject,
  { kubernetes }: FunctionWorld,
): Promise<readonly SnapshotLayer[]> {
  if ((spec.layers ?? []).length === 0 || status?.latestVersion === undefined) return [];
  try {
    const latest = await kubernetes.get(functionVersions, metadata.namespace, status.latestVersion);
    return latest.spec.layers ?? [];
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function readAgain(
  { namespace, name }: FunctionSummary,
  { kubernetes }: FunctionWorld,
): Promise<FunctionObject | null> {
  try {
    const fn = await kubernetes.get(functions, namespace, name);
    return fn.metadata.deletionTimestampMs === null ? fn : null;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** Where the function's URL is now: the install's address may have changed since it was written. */
function urlOf(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  hasUrl: boolean,
  world: FunctionWorld,
): string | null {
  return hasUrl ? world.urlOf(namespace, name) : null;
}

async function applyPlan(fn: FunctionObject, plan: FunctionPlan, { kubernetes }: FunctionWorld): Promise<void> {
  const { namespace } = fn.metadata;
  if (plan.next !== null && plan.nextName !== null && plan.nextName !== fn.status?.latestVersion) {
    const metadata = childMetadata(fn, plan.nextName);
    await kubernetes.apply(functionVersions, { metadata, spec: plan.next }, manager);
  }
  for (const version of plan.deleteVersions) {
    await kubernetes.delete(functionVersions, namespace, version);
  }
}

async function writeStatus(
  fn: FunctionObject,
  status: NonNullable<FunctionObject['status']>,
  world: FunctionWorld,
): Promise<void> {
  if (isDeepStrictEqual(fn.status, status)) return;
  const { name, namespace, uid } = fn.metadata;
  await world.kubernetes.applyStatus(functions, { metadata: { name, namespace }, status }, manager);
  const wasFailed =
    fn.status?.lastUpdateStatus === 'Failed' && fn.status.lastUpdateStatusReason === status.lastUpdateStatusReason;
  if (status.lastUpdateStatus === 'Failed' && !wasFailed) {
    const reason = status.lastUpdateStatusReasonCode ?? 'Failed';
    const regarding = { apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', namespace, name, uid };
    void world.kubernetes.event(regarding, { type: 'Warning', reason, message: status.lastUpdateStatusReason ?? '' });
  }
}
