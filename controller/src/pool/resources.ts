import { poolLabel, stateLabel } from '@kappa/crds/labels';
import { poolIdleDefaultSeconds, poolPodsDefault } from '@kappa/crds/limits';
import type { PoolObject } from '@kappa/crds/pool';
import { ordinalLabel } from '../observed.ts';
import type { Runtime } from '../runtimes.ts';

/** Settings of the install that every pool pod gets. */
export interface PodSettings {
  readonly namespace: string;
  readonly region: string;
  /** Prefix of image names, e.g. `registry.example/`; empty in local mode. */
  readonly imagePrefix: string;
}

/** Ports of a pod on its own address. */
const healthPort = 9101;
const linkPort = 9100;

/** Name of pod number `ordinal` of a pool: computed, so that an apply repeated from a stale cache is harmless. */
export function podName(pool: string, ordinal: number): string {
  return `${pool.replaceAll('.', '-')}-${ordinal}`;
}

/** A generic pod of a pool: agent as process 1, language runtime booted, no function yet. Pod Security *restricted*. */
export function makePod(
  pool: { readonly name: string; readonly uid: string },
  runtime: Runtime,
  ordinal: number,
  settings: PodSettings,
) {
  const labels = { 'app.kubernetes.io/part-of': 'kappa', [poolLabel]: pool.name, [stateLabel]: 'generic' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(pool.name, ordinal),
      namespace: settings.namespace,
      labels: { ...labels, [ordinalLabel]: String(ordinal) },
      ownerReferences: [
        {
          apiVersion: 'kappa.dev/v1alpha1',
          kind: 'Pool',
          name: pool.name,
          uid: pool.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 960, // the longest function, and a margin
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      topologySpreadConstraints: [spreadOverZones(labels)],
      containers: [makeContainer(runtime, settings)],
      volumes: [
        { name: 'task', emptyDir: { medium: 'Memory', sizeLimit: '300Mi' } },
        { name: 'opt', emptyDir: { medium: 'Memory', sizeLimit: '300Mi' } },
        { name: 'tmp', emptyDir: { sizeLimit: '512Mi' } },
      ],
    },
  };
}

function makeContainer(runtime: Runtime, settings: PodSettings) {
  return {
    name: 'runtime',
    image: `${settings.imagePrefix}${runtime.image}`,
    imagePullPolicy: 'IfNotPresent',
    env: makeEnvironment(runtime, settings),
    ports: [{ name: 'link', containerPort: linkPort }],
    readinessProbe: {
      httpGet: { path: '/readyz', port: healthPort },
      periodSeconds: 1,
      timeoutSeconds: 1,
      failureThreshold: 3,
    },
    // Small request, generous limit: the claim resizes the pod to what its function asks for.
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '1Gi' } },
    resizePolicy: [
      { resourceName: 'cpu', restartPolicy: 'NotRequired' },
      { resourceName: 'memory', restartPolicy: 'NotRequired' },
    ],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'task', mountPath: '/var/task' },
      { name: 'opt', mountPath: '/opt' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function makeEnvironment(runtime: Runtime, { region }: PodSettings) {
  const fromField = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
  return [
    { name: 'KAPPA_POD_UID', ...fromField('metadata.uid') },
    { name: 'KAPPA_POD_NAME', ...fromField('metadata.name') },
    { name: 'KAPPA_POD_IP', ...fromField('status.podIP') },
    { name: 'KAPPA_RUNTIME', value: runtime.id },
    { name: 'KAPPA_REGION', value: region },
    { name: 'KAPPA_FRESH_PROCESS', value: runtime.freshProcess.join(',') },
    { name: 'KAPPA_EXECUTION_ENV', value: runtime.executionEnvironment },
    { name: 'KAPPA_GATEWAY_PUBLIC_KEY', valueFrom: { configMapKeyRef: { name: 'kappa-gateway', key: 'publicKey' } } },
  ];
}

function spreadOverZones(matchLabels: Readonly<Record<string, string>>) {
  return {
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
  };
}

/** The pool of one runtime as the controller first makes it; later changes of its spec belong to users and the gateway. */
export function makePool(runtime: PoolObject['spec']['runtime'], minReplicas: number, namespace: string) {
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
