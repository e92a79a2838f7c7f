import { imageRuntime, type PoolImage } from '@kappa/crds/image-pool';
import { memoryPerVcpuMiB } from '@kappa/crds/limits';
import { agentDoors, makeEnvironment, makeTmp, type PodSettings, resizePolicy, restricted } from './resources.ts';

/** Where the agent lies in a pod of a user's image: nothing else is there, and the user's program cannot write it. */
const agentDir = '/var/kappa';
/** The images' own users do not count, as on Lambda: the files must be readable for everybody. */
const userId = 65_532;

/** Settings of the agent that pods do without: what an image's ENV says of them must not reach it. */
const unheard = [
  'KAPPA_TASK_DIR',
  'KAPPA_OPT_DIR',
  'KAPPA_TMP_DIR',
  'KAPPA_RUNTIME_API',
  'KAPPA_RUNTIME_DIR',
  'KAPPA_ENFORCE_MEMORY',
];

/**
 * Containers and volumes of a pod that runs a user's image: an init container brings the agent, which starts in the place of the image's
 * ENTRYPOINT, and starts that for the function. Nothing is mounted over what the image has, but `/tmp`; WORKDIR and ENV are the image's.
 */
export function makeImageParts(image: PoolImage, settings: PodSettings) {
  return {
    initContainers: [
      {
        name: 'agent',
        image: `${settings.imagePrefix}${settings.agentImage}${settings.imageSuffix}`,
        imagePullPolicy: 'IfNotPresent',
        args: ['install', agentDir],
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        securityContext: { ...restricted, runAsUser: userId, runAsGroup: userId },
        volumeMounts: [{ name: 'agent', mountPath: agentDir }],
      },
    ],
    containers: [
      {
        name: 'runtime',
        image: image.reference,
        imagePullPolicy: 'IfNotPresent', // it has a digest
        command: [`${agentDir}/agent`],
        env: [
          ...makeEnvironment({ id: imageRuntime, freshProcess: [], executionEnvironment: '' }, settings),
          ...unheard.map((name) => ({ name, value: '' })),
        ],
        ...agentDoors,
        resources: sizeOf(image.memoryMiB),
        resizePolicy,
        securityContext: { ...restricted, runAsUser: userId, runAsGroup: userId },
        volumeMounts: [
          { name: 'agent', mountPath: agentDir, readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [{ name: 'agent', emptyDir: { sizeLimit: '64Mi' } }, makeTmp(settings)],
  };
}

/** As large as a claim would make it: 1,769 MiB = 1 vCPU, so 128 MiB = 73 m. Burstable. */
function sizeOf(memoryMiB: number) {
  const cpuMilli = Math.ceil((memoryMiB / memoryPerVcpuMiB) * 1000);
  const memory = `${memoryMiB}Mi`;
  return {
    requests: { cpu: `${Math.floor(cpuMilli / 2)}m`, memory },
    limits: { cpu: `${cpuMilli}m`, memory },
  };
}
