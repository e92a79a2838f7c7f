import { isDeepStrictEqual } from 'node:util';
import { isAlreadyExists, isConflict, isInvalid, isNotFound, isRefused } from '@kappa/crds/client/errors';
import { functions, functionVersions, pods, pools } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { PoolImage } from '@kappa/crds/image-pool';
import { trialOf } from '../image/trial.ts';
import type { PodSummary, PoolSummary } from '../observed.ts';
import type { Runtime } from '../runtimes.ts';
import type { Requeue } from '../work-queue.ts';
import { earliest } from './earliest.ts';
import { startWaitMs } from './judge-start.ts';
import type { PoolMemory } from './memory.ts';
import { type PodObserved, type PoolObserved, type PoolPacing, type PoolPlan, planPool } from './plan.ts';
import { judgeResize, resizeWaitMs, type SizedPod } from './resize.ts';
import { makeImagePool, makePod, makePool, makeTemplate, type PodSettings, type PodTemplate } from './resources.ts';
import { nextSpread } from './spread.ts';
import { makePoolStatus } from './status.ts';
import { isStillStuck, stuckGraceSeconds } from './stuck.ts';

/** What the pool reconciler is given. */
export interface PoolWorld {
  readonly kubernetes: Pick<Kubernetes, 'get' | 'create' | 'patch' | 'delete' | 'applyStatus'>;
  readonly find: (name: string) => PoolSummary | undefined;
  readonly isUsed: (pool: string) => boolean;
  /** What the pods of a pool run; null = it is none of an image that is used. */
  readonly imageOf: (pool: string) => PoolImage | null;
  readonly podsOf: (pool: string) => readonly PodSummary[];
  /** Why a claimed pod is not wanted any more, as far as the caches know. */
  readonly orphanOf: (pod: PodSummary) => PodObserved['orphan'];
  /** Memory of the version that a claimed pod runs, MiB; null = not known. */
  readonly memoryMiBOf: (pod: PodSummary) => number | null;
  readonly memoryOf: (pool: string) => PoolMemory;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly settings: PodSettings;
  /** Public key of the gateways; empty = there is none yet. */
  readonly gatewayKey: () => string;
  readonly pacing: PoolPacing;
  /** Floor of a pool that the controller makes. */
  readonly minReplicas: number;
  readonly nowMs: () => number;
}

/** Field manager of everything the controller writes. */
const manager = 'kappa-controller';

/** Brings one pool to its desired state: observe → plan → apply → status. The key is its name: a runtime's identifier, or an image's. */
export async function reconcilePool(name: string, world: PoolWorld): Promise<Requeue> {
  const summary = world.find(name);
  if (summary === undefined) return world.isUsed(name) ? createPool(name, world) : {};
  const source = summary.spec.image ?? world.runtimes.get(name);
  if (source === undefined) return {}; // the functions that ask for it say so in their status
  if (isOver(summary, world)) return deletePool(summary, world);
  const template = makeTemplate(name, source, world.settings, world.gatewayKey());
  const observed = observe(summary, template, world);
  const plan = planPool(observed, world.pacing, world.nowMs());
  const refused = await createPods(summary, template, plan, world).then(() => null, keepRefusal);
  await applyPlan(summary, plan, world);
  const sizes = sizesOf(name, world);
  const refusal = refused === null ? null : refused.message.slice(0, maxRefusalChars);
  const nowMs = world.nowMs();
  const status = makePoolStatus(summary, observed, { ...plan, resize: judgeResize(sizes, nowMs), refusal }, nowMs);
  await writeStatus(summary, status, world);
  if (refused !== null) throw refused;
  const requeueAfterMs = earliest(
    plan.requeueAfterMs,
    resizeWaitMs(sizes, world.nowMs()),
    startWaitMs(status, observed.pods, world.nowMs()),
  );
  return requeueAfterMs === null ? {} : { requeueAfterMs };
}

async function createPool(name: string, world: PoolWorld): Promise<Requeue> {
  const { namespace } = world.settings;
  const image = world.imageOf(name);
  const runtime = world.runtimes.get(name);
  if (image !== null) return create(makeImagePool(name, image, namespace), world);
  return runtime === undefined ? {} : create(makePool(runtime.id, world.minReplicas, namespace), world);
}

async function create(pool: ReturnType<typeof makePool | typeof makeImagePool>, world: PoolWorld): Promise<Requeue> {
  await world.kubernetes.create(pools, pool).catch(ignore(isAlreadyExists));
  return {}; // its appearance in the cache is the next event
}

/** Images come and go, runtimes stay. */
function isOver({ name, spec }: PoolSummary, world: PoolWorld): boolean {
  return spec.image !== undefined && !world.isUsed(name) && world.podsOf(name).length === 0;
}

/** Were it wanted again at this very moment, its end would be the event that makes it anew. */
async function deletePool({ name, uid }: PoolSummary, world: PoolWorld): Promise<Requeue> {
  const { namespace } = world.settings;
  await world.kubernetes.delete(pools, namespace, name, { preconditionUid: uid }).catch(ignore(isConflict));
  return {};
}

function observe(summary: PoolSummary, template: PodTemplate, world: PoolWorld): PoolObserved {
  const { name, spec } = summary;
  const memory = world.memoryOf(name);
  const nowMs = world.nowMs();
  memory.sawReplicas(spec.replicas, nowMs);
  return {
    name,
    replicas: spec.replicas,
    minReplicas: isOnTrial(summary) ? Math.max(1, spec.minReplicas) : spec.minReplicas,
    maxPods: spec.maxPods,
    idleMs: spec.idleSeconds * 1000,
    isUsed: world.isUsed(name),
    pods: world.podsOf(name).map((pod) => ({
      ...pod,
      orphan: world.orphanOf(pod),
      imageProblemSinceMs: memory.imageProblemSinceMs(pod.uid),
      startingSinceMs: memory.startingSinceMs(pod.uid),
      unreadySinceMs: memory.unreadySinceMs(pod.uid),
      outdatedSinceMs: memory.outdatedSinceMs(pod, template.hash, nowMs),
      terminatingSinceMs: memory.terminatingSinceMs(pod.uid),
    })),
    lastOrdinal: memory.lastOrdinal,
    claims: memory.claims(nowMs),
    raisedAtMs: memory.raisedAtMs,
    failures: memory.failures,
    lastRollAtMs: memory.lastRollAtMs,
    spread: memory.spread,
  };
}

/** One pod is kept until the image is known to start. */
function isOnTrial(summary: PoolSummary): boolean {
  return summary.spec.image !== undefined && trialOf(summary).kind !== 'started';
}

/** The claimed pods of a pool that can be judged by their size. */
function sizesOf(name: string, world: PoolWorld): readonly SizedPod[] {
  const memory = world.memoryOf(name);
  return world.podsOf(name).flatMap((pod) => {
    const claimedSinceMs = memory.claimedSinceMs(pod.uid);
    const wantedMiB = world.memoryMiBOf(pod);
    const isRunning = pod.phase === 'Running' && !pod.isTerminating && !pod.isCutOff;
    return isRunning && claimedSinceMs !== null && wantedMiB !== null ? [{ ...pod, claimedSinceMs, wantedMiB }] : [];
  });
}

/** A quota or an admission rule says no: the status tells it before it is tried again. */
function keepRefusal(error: unknown): Error {
  if (isRefused(error) || isInvalid(error)) return error;
  throw error;
}

const maxRefusalChars = 400;

async function createPods(
  summary: PoolSummary,
  template: PodTemplate,
  plan: PoolPlan,
  world: PoolWorld,
): Promise<void> {
  const { namespace } = world.settings;
  const memory = world.memoryOf(summary.name);
  for (const ordinal of plan.create) {
    memory.lastOrdinal = Math.max(memory.lastOrdinal, ordinal);
    await world.kubernetes.create(pods, makePod(summary, template, ordinal, namespace)).catch(ignore(isAlreadyExists));
  }
}

async function applyPlan(summary: PoolSummary, plan: PoolPlan, world: PoolWorld): Promise<void> {
  const { namespace } = world.settings;
  const memory = world.memoryOf(summary.name);
  memory.spread = nextSpread(memory.spread, plan.spreadStep, world.nowMs());
  for (const { name, uid, reason } of plan.remove) {
    const claim = world.podsOf(summary.name).find((pod) => pod.uid === uid)?.claim ?? null;
    if (!(await isStillTrue(reason, claim, world))) continue;
    if (reason === 'Outdated' && claim !== null) memory.lastRollAtMs = world.nowMs();
    await world.kubernetes.delete(pods, namespace, name, { preconditionUid: uid }).catch(ignore(isConflict));
  }
  for (const pod of plan.hasten) await hasten(pod, memory, world);
  if (plan.scaleTo !== null) {
    await world.kubernetes.patch(pools, namespace, summary.name, { spec: { replicas: plan.scaleTo } });
  }
}

/** Tells a pod again to end, unless it has got a claim: the API server is asked right before. */
async function hasten(
  { name, uid }: PoolPlan['hasten'][number],
  memory: PoolMemory,
  { kubernetes, settings: { namespace } }: PoolWorld,
): Promise<void> {
  const pod = await kubernetes.get(pods, namespace, name).catch(ignore(isNotFound));
  if (pod === undefined || !isStillStuck(pod.metadata, uid)) return; // its change is the next event
  const { resourceVersion: preconditionResourceVersion } = pod.metadata;
  const options = { preconditionUid: uid, preconditionResourceVersion, graceSeconds: stuckGraceSeconds };
  await kubernetes.delete(pods, namespace, name, options).then(() => memory.sawHastened(uid), ignore(isConflict));
}

/** "Not in the cache" is no reason to end a pod that may be serving: the API server is asked before. Fails closed: on doubt the pod stays. */
async function isStillTrue(
  reason: PoolPlan['remove'][number]['reason'],
  claim: PodSummary['claim'],
  { kubernetes }: PoolWorld,
): Promise<boolean> {
  if (claim === null || (reason !== 'FunctionGone' && reason !== 'VersionGone')) return true;
  const { functionNamespace, functionName, versionName } = claim;
  const read =
    reason === 'FunctionGone'
      ? kubernetes.get(functions, functionNamespace, functionName)
      : kubernetes.get(functionVersions, functionNamespace, versionName);
  return read.then(
    () => false,
    (error: unknown) => {
      if (isNotFound(error)) return true;
      throw error;
    },
  );
}

async function writeStatus(
  summary: PoolSummary,
  status: NonNullable<PoolSummary['status']>,
  world: PoolWorld,
): Promise<void> {
  if (isDeepStrictEqual(status, summary.status)) return;
  const metadata = { name: summary.name, namespace: world.settings.namespace };
  await world.kubernetes.applyStatus(pools, { metadata, status }, manager);
}

function ignore(...expected: readonly ((error: unknown) => boolean)[]): (error: unknown) => void {
  return (error) => {
    if (!expected.some((isExpected) => isExpected(error))) throw error;
  };
}
