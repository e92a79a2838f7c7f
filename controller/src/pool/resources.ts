import { createHash } from 'node:crypto';
import type { PoolImage } from '@kappa/crds/image-pool';
import { poolLabel, stateLabel, templateLabel } from '@kappa/crds/labels';
import { poolIdleDefaultSeconds, poolPodsDefault } from '@kappa/crds/limits';
import { ordinalLabel } from '../observed.ts';
import type { Runtime } from '../runtimes.ts';
import { makeImageParts } from './image-parts.ts';

/** Settings of the install that every pool pod gets. */
export interface PodSettings {
  readonly namespace: string;
  readonly region: string;
  /** Prefix of image names, e.g. `registry.example/`; empty in local mode. */
  readonly imagePrefix: string;
  /** Put after every image's tag, e.g. `-0.2.0`: another version of the agent under the same language version. */
  readonly imageSuffix: string;
  /** PriorityClass of the pods; empty = the cluster's default. */
  readonly priorityClass: string;
  /** Names of Secrets in the pools' namespace that images are pulled with. */
  readonly pullSecrets: readonly string[];
  /** Code and layers of one function together, unpacked, bytes. */
  readonly maxUnpackedBytes: number;
  /** Image with the agent, which the pods of users' images take it from. */
  readonly agentImage: string;
  /** `/tmp` of a pod. In memory a full one answers ENOSPC, and takes from the function's memory; on the node's disk the pod is evicted. */
  readonly tmp: { readonly sizeMiB: number; readonly isInMemory: boolean };
}

/** Ports of a pod on its own address. */
const healthPort = 9101;
const linkPort = 9100;
/** ConfigMap beside the pools, with the key that the agents check the gateways by. */
export const gatewayConfigMap = 'kappa-gateway';
/**
 * How long a pod stays on a node that is not ready or not reachable, seconds (Kubernetes' default is 300). Kubernetes marks a node
 * after about 50 s of silence, so that a restarted kubelet does not come here. Generic and claimed pods alike: a pod's
 * tolerations are those it was made with, and a claimed pod that cannot be reached serves nobody; one that gateways do
 * still reach goes on, since its own kubelet must hear of the deletion to end it.
 */
const lostNodeSeconds = 30;

/** What all pods of a pool have in common, and what tells that from an older one. */
export interface PodTemplate {
  /** 10 hex digits, the label `kappa.dev/template`. */
  readonly hash: string;
  readonly spec: ReturnType<typeof makeSpec>;
}

/**
 * The pods of a pool as they are made now: agent as process 1, language runtime booted, no function yet. Pod Security *restricted*.
 *
 * @param source a runtime, or the image of users
 * @param gatewayKey public key of the gateways: pods that were started with another one cannot be claimed any more
 */
export function makeTemplate(
  pool: string,
  source: Runtime | PoolImage,
  settings: PodSettings,
  gatewayKey: string,
): Readonly<PodTemplate> {
  const spec = makeSpec(pool, source, settings);
  const hash = createHash('sha256')
    .update(JSON.stringify([spec, gatewayKey]))
    .digest('hex')
    .slice(0, 10);
  return { hash, spec };
}

/** Name of pod number `ordinal` of a pool: computed, so that an apply repeated from a stale cache is harmless. */
export function podName(pool: string, ordinal: number): string {
  return `${pool.replaceAll('.', '-')}-${ordinal}`;
}

/** Generic pod number `ordinal` of a pool. */
export function makePod(
  pool: { readonly name: string; readonly uid: string },
  template: PodTemplate,
  ordinal: number,
  namespace: string,
) {
  const owner = { apiVersion: 'kappa.dev/v1alpha1', kind: 'Pool', name: pool.name, uid: pool.uid };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(pool.name, ordinal),
      namespace,
      labels: { ...labelsOf(pool.name), [ordinalLabel]: String(ordinal), [templateLabel]: template.hash },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: template.spec,
  };
}

function labelsOf(pool: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/part-of': 'kappa', [poolLabel]: pool, [stateLabel]: 'generic' };
}

function makeSpec(pool: string, source: Runtime | PoolImage, settings: PodSettings) {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // Where extensions listen for telemetry, by the names that they know from AWS.
    hostAliases: [{ ip: '127.0.0.1', hostnames: ['sandbox.localdomain', 'sandbox'] }],
    terminationGracePeriodSeconds: 960, // the longest function, and a margin
    ...(settings.priorityClass !== '' && { priorityClassName: settings.priorityClass }),
    ...(settings.pullSecrets.length > 0 && { imagePullSecrets: settings.pullSecrets.map((name) => ({ name })) }),
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: [spreadOverZones(labelsOf(pool))],
    tolerations: ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: lostNodeSeconds,
    })),
    ...('reference' in source ? makeImageParts(source, settings) : makeRuntimeParts(source, settings)),
  };
}

function makeRuntimeParts(runtime: Runtime, settings: PodSettings) {
  return {
    containers: [makeContainer(runtime, settings)],
    volumes: [
      { name: 'task', emptyDir: { medium: 'Memory', sizeLimit: roomFor(settings) } },
      { name: 'opt', emptyDir: { medium: 'Memory', sizeLimit: roomFor(settings) } },
      makeTmp(settings),
    ],
  };
}

/** `/tmp` of a pod. */
export function makeTmp({ tmp }: Pick<PodSettings, 'tmp'>) {
  return {
    name: 'tmp',
    emptyDir: { ...(tmp.isInMemory && { medium: 'Memory' }), sizeLimit: `${tmp.sizeMiB}Mi` },
  };
}

/** Files take whole pages: 50 MiB on top. */
function roomFor({ maxUnpackedBytes }: PodSettings): string {
  return `${Math.ceil(maxUnpackedBytes / 1024 ** 2) + 50}Mi`;
}

/** How the agent is reached, and seen to be ready. */
export const agentDoors = {
  ports: [{ name: 'link', containerPort: linkPort }],
  readinessProbe: {
    httpGet: { path: '/readyz', port: healthPort },
    periodSeconds: 1,
    timeoutSeconds: 1,
    failureThreshold: 3,
  },
};

/** A pod's size may change while it runs. */
export const resizePolicy = [
  { resourceName: 'cpu', restartPolicy: 'NotRequired' },
  { resourceName: 'memory', restartPolicy: 'NotRequired' },
];

/** What Pod Security *restricted* wants of a container, and a read-only root. */
export const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

function makeContainer(runtime: Runtime, settings: PodSettings) {
  return {
    name: 'runtime',
    image: `${settings.imagePrefix}${runtime.image}${settings.imageSuffix}`,
    imagePullPolicy: 'IfNotPresent',
    env: makeEnvironment(runtime, settings),
    ...agentDoors,
    // Small request, generous limit: the claim resizes the pod to what its function asks for. Burstable before and after.
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '1Gi' } },
    resizePolicy,
    securityContext: restricted,
    volumeMounts: [
      { name: 'task', mountPath: '/var/task' },
      { name: 'opt', mountPath: '/opt' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

/** What the agent is told by every pod template. */
export function makeEnvironment(
  runtime: Pick<Runtime, 'freshProcess' | 'executionEnvironment'> & { readonly id: string },
  { region }: Pick<PodSettings, 'region'>,
) {
  const fromField = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
  return [
    { name: 'KAPPA_POD_UID', ...fromField('metadata.uid') },
    { name: 'KAPPA_POD_NAME', ...fromField('metadata.name') },
    { name: 'KAPPA_POD_IP', ...fromField('status.podIP') },
    { name: 'KAPPA_RUNTIME', value: runtime.id },
    { name: 'KAPPA_REGION', value: region },
    { name: 'KAPPA_FRESH_PROCESS', value: runtime.freshProcess.join(',') },
    { name: 'KAPPA_EXECUTION_ENV', value: runtime.executionEnvironment },
    { name: 'KAPPA_GATEWAY_PUBLIC_KEY', valueFrom: { configMapKeyRef: { name: gatewayConfigMap, key: 'publicKey' } } },
  ];
}

/**
 * The same number of generic pods in each zone, as a wish: a zone without nodes or without room never holds up a refill, which
 * `DoNotSchedule` would (and only that one knows `minDomains`). Nodes with a taint that the pod does not tolerate, those of
 * a lost zone among them, do not count as places: otherwise the scheduler would go on to prefer the zone that looks empty.
 */
function spreadOverZones(matchLabels: Readonly<Record<string, string>>) {
  return {
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'ScheduleAnyway',
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels },
  };
}

/** The pool of one runtime as the controller first makes it; later changes of its spec belong to users and the gateway. */
export function makePool(runtime: Runtime['id'], minReplicas: number, namespace: string) {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Pool',
    metadata: { name: runtime, namespace },
    spec: {
      runtime,
      minReplicas,
      replicas: minReplicas,
      maxPods: poolPodsDefault,
      idleSeconds: poolIdleDefaultSeconds,
    },
  };
}

/** The pool of an image. Its one pod is the image's trial; nobody keeps it after the first idle time, so that what is not called costs nothing. */
export function makeImagePool(name: string, image: PoolImage, namespace: string) {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Pool',
    metadata: { name, namespace },
    spec: { image, minReplicas: 0, replicas: 1, maxPods: poolPodsDefault, idleSeconds: poolIdleDefaultSeconds },
  };
}
