import { describe, expect, test } from '@jest/globals';

import fc from 'fast-check';
import type { Runtime } from '../runtimes.ts';
import { makePod, makeTemplate, type PodSettings } from './resources.ts';
import { podSecurityViolations } from './testing-pod-security.ts';

const runtime: Runtime = {
  id: 'nodejs24.x',
  image: 'kappa/runtime-nodejs:24',
  freshProcess: ['NODE_OPTIONS'],
  executionEnvironment: 'AWS_Lambda_nodejs24.x',
};
const settings: PodSettings = {
  namespace: 'kappa-functions',
  region: 'us-east-1',
  imagePrefix: '',
  imageSuffix: '',
  priorityClass: '',
  pullSecrets: [],
  maxUnpackedBytes: 262_144_000,
  agentImage: 'kappa/runtime-provided:al2023',
  tmp: { sizeMiB: 512, isInMemory: false },
};
const pool = { name: 'nodejs24.x', uid: 'u' };
const podOf = (r: Runtime = runtime, s: PodSettings = settings, ordinal = 1) =>
  makePod(pool, makeTemplate(r.id, r, s, 'key'), ordinal, s.namespace);

const anyRuntime = fc.record<Runtime>({
  id: fc.constantFrom('nodejs20.x', 'nodejs24.x', 'python3.9', 'python3.14'),
  image: fc.string(),
  freshProcess: fc.array(fc.string()),
  executionEnvironment: fc.string(),
});
const anySettings = fc.record<PodSettings>({
  namespace: fc.string(),
  region: fc.string(),
  imagePrefix: fc.string(),
  imageSuffix: fc.string(),
  priorityClass: fc.string(),
  pullSecrets: fc.array(fc.string()),
  maxUnpackedBytes: fc.nat(),
  agentImage: fc.string(),
  tmp: fc.record({ sizeMiB: fc.nat(), isInMemory: fc.boolean() }),
});

test('whatever the runtime and the settings: a pool pod meets Pod Security restricted, and asks for nothing of its node or the API', () => {
  fc.assert(
    fc.property(anyRuntime, anySettings, fc.nat(), (anyOne, install, ordinal) => {
      const made = podOf(anyOne, install, ordinal);
      expect(podSecurityViolations(made)).toEqual([]);
      expect(made.spec.automountServiceAccountToken).toBe(false);
      expect(made.spec).not.toHaveProperty('serviceAccountName');
      expect(made.spec.volumes.every((volume) => Object.keys(volume).sort().join() === 'emptyDir,name')).toBe(true);
      const [container] = made.spec.containers;
      expect(made.spec.containers).toHaveLength(1);
      expect(container).not.toHaveProperty('envFrom');
      const sources = container?.env.flatMap((entry) => ('valueFrom' in entry ? [entry.valueFrom] : []));
      expect(sources).toEqual([
        { fieldRef: { fieldPath: 'metadata.uid' } },
        { fieldRef: { fieldPath: 'metadata.name' } },
        { fieldRef: { fieldPath: 'status.podIP' } },
        { configMapKeyRef: { name: 'kappa-gateway', key: 'publicKey' } },
      ]);
    }),
  );
});

describe('the checker finds', () => {
  const base = JSON.parse(JSON.stringify(podOf()));
  const withSpec = (spec: object) => ({ ...base, spec: { ...base.spec, ...spec } });
  const withContainer = (change: object) => withSpec({ containers: [{ ...base.spec.containers[0], ...change }] });
  const withSecurity = (change: object) =>
    withContainer({ securityContext: { ...base.spec.containers[0].securityContext, ...change } });
  const withPodSecurity = (change: object) =>
    withSpec({ securityContext: { ...base.spec.securityContext, ...change } });

  test.each<[rule: string, pod: unknown]>([
    ['hostProcess', withPodSecurity({ windowsOptions: { hostProcess: true } })],
    ['hostNetwork', withSpec({ hostNetwork: true })],
    ['hostPID', withSpec({ hostPID: true })],
    ['hostIPC', withSpec({ hostIPC: true })],
    ['privileged', withSecurity({ privileged: true })],
    ['capabilities.add', withSecurity({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } })],
    ['capabilities.drop', withSecurity({ capabilities: { drop: ['NET_RAW'] } })],
    ['volumes', withSpec({ volumes: [{ name: 'x', hostPath: { path: '/' } }] })],
    ['hostPort', withContainer({ ports: [{ containerPort: 1, hostPort: 1 }] })],
    ['probe host', withContainer({ livenessProbe: { httpGet: { host: '10.0.0.1', port: 1 } } })],
    ['hook host', withContainer({ lifecycle: { preStop: { tcpSocket: { host: '10.0.0.1', port: 1 } } } })],
    ['appArmor', withPodSecurity({ appArmorProfile: { type: 'Unconfined' } })],
    [
      'appArmor annotation',
      {
        ...base,
        metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/runtime': 'unconfined' } },
      },
    ],
    ['seLinux type', withSecurity({ seLinuxOptions: { type: 'spc_t' } })],
    ['seLinux user', withSecurity({ seLinuxOptions: { user: 'root' } })],
    ['procMount', withSecurity({ procMount: 'Unmasked' })],
    ['seccomp', withPodSecurity({ seccompProfile: { type: 'Unconfined' } })],
    ['seccomp', withPodSecurity({ seccompProfile: undefined })],
    ['sysctls', withPodSecurity({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] })],
    ['allowPrivilegeEscalation', withSecurity({ allowPrivilegeEscalation: undefined })],
    ['runAsNonRoot', withPodSecurity({ runAsNonRoot: undefined })],
    ['runAsNonRoot', withSecurity({ runAsNonRoot: false })],
    ['runAsUser', withSecurity({ runAsUser: 0 })],
    [
      'privileged',
      withSpec({
        initContainers: [
          {
            ...base.spec.containers[0],
            securityContext: { ...base.spec.containers[0].securityContext, privileged: true },
          },
        ],
      }),
    ],
  ])('%s', (rule, pod) => {
    expect(podSecurityViolations(pod)).toEqual([rule]);
  });
});

describe('the template hash', () => {
  const hashOf = (r: Partial<Runtime>, s: Partial<PodSettings>, key = 'key') =>
    makeTemplate('nodejs24.x', { ...runtime, ...r }, { ...settings, ...s }, key).hash;
  const before = hashOf({}, {});

  test('is the same for the same pods, and a label', () => {
    expect(hashOf({}, {})).toBe(before);
    expect(podOf().metadata.labels).toMatchObject({ 'kappa.dev/template': before });
    expect(before).toMatch(/^[0-9a-f]{10}$/);
  });

  test.each<[what: string, after: string]>([
    ['image', hashOf({ image: 'kappa/runtime-nodejs:24.1' }, {})],
    ['prefix', hashOf({}, { imagePrefix: 'mirror.example/' })],
    ['suffix', hashOf({}, { imageSuffix: '-0.2.0' })],
    ['region', hashOf({}, { region: 'eu-central-1' })],
    ['priority class', hashOf({}, { priorityClass: 'functions' })],
    ['Secrets for registries', hashOf({}, { pullSecrets: ['registry'] })],
    ['room for larger code', hashOf({}, { maxUnpackedBytes: 500_000_000 })],
    ['size of /tmp', hashOf({}, { tmp: { sizeMiB: 1024, isInMemory: false } })],
    ['key of the gateways', hashOf({}, {}, 'another')],
  ])('changes with the %s', (_what, after) => {
    expect(after).not.toBe(before);
  });

  test('is not touched by where the pools are', () => {
    expect(hashOf({}, { namespace: 'elsewhere' })).toBe(before);
  });
});

test.each<[reason: string, tmp: PodSettings['tmp'], emptyDir: object]>([
  ['on the disk of the node', { sizeMiB: 512, isInMemory: false }, { sizeLimit: '512Mi' }],
  ['in memory', { sizeMiB: 2048, isInMemory: true }, { medium: 'Memory', sizeLimit: '2048Mi' }],
])('/tmp: %s', (_reason, tmp, emptyDir) => {
  expect(podOf(runtime, { ...settings, tmp }).spec.volumes).toContainEqual({ name: 'tmp', emptyDir });
});

test('the name that extensions listen at is known in the pod', () => {
  expect(podOf().spec.hostAliases).toEqual([{ ip: '127.0.0.1', hostnames: ['sandbox.localdomain', 'sandbox'] }]);
});

test('zones are a wish, so that a lost one holds up nothing; pods leave a lost node after 30 s', () => {
  const { topologySpreadConstraints, tolerations } = podOf().spec;
  expect(topologySpreadConstraints).toEqual([
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      nodeTaintsPolicy: 'Honor',
      labelSelector: {
        matchLabels: expect.objectContaining({ 'kappa.dev/state': 'generic', 'kappa.dev/pool': 'nodejs24.x' }),
      },
    },
  ]);
  expect(tolerations.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
    ['node.kubernetes.io/not-ready', 30],
    ['node.kubernetes.io/unreachable', 30],
  ]);
});

test('a generic pod is Burstable: requests are below limits', () => {
  expect(podOf().spec.containers[0]?.resources).toEqual({
    requests: { cpu: '10m', memory: '64Mi' },
    limits: { memory: '1Gi' },
  });
});

describe('a pod of an image', () => {
  const image = { namespace: 'default', reference: 'registry.example/cart@sha256:ab', memoryMiB: 1769 };
  const anyImage = fc.record({
    namespace: fc.string(),
    reference: fc.string(),
    memoryMiB: fc.integer({ min: 128, max: 10_240 }),
  });
  const imagePod = (of = image, install = settings) =>
    makePod(pool, makeTemplate('image-1', of, install, 'key'), 1, 'p');

  test('meets Pod Security restricted, whatever the image and the settings', () => {
    fc.assert(
      fc.property(anyImage, anySettings, (anyOne, install) => {
        const made = imagePod(anyOne, install);
        expect(podSecurityViolations(made)).toEqual([]);
        expect(made.spec.automountServiceAccountToken).toBe(false);
        expect(made.spec).not.toHaveProperty('serviceAccountName');
      }),
    );
  });

  test('runs the agent in the place of the ENTRYPOINT, as nobody, with nothing but /tmp to write', () => {
    const { spec } = imagePod(image, { ...settings, imagePrefix: 'mirror.example/', imageSuffix: '-0.2.0' });
    expect(spec).toMatchObject({
      initContainers: [
        { image: 'mirror.example/kappa/runtime-provided:al2023-0.2.0', args: ['install', '/var/kappa'] },
      ],
      containers: [
        {
          name: 'runtime',
          image: image.reference,
          command: ['/var/kappa/agent'],
          securityContext: { readOnlyRootFilesystem: true, runAsUser: 65_532, runAsGroup: 65_532 },
          volumeMounts: [
            { name: 'agent', mountPath: '/var/kappa', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
    });
    const [container] = spec.containers;
    expect(container).not.toHaveProperty('args');
    expect(container).not.toHaveProperty('workingDir');
    expect(container?.env).toContainEqual({ name: 'KAPPA_RUNTIME', value: 'image' });
  });

  test('has the size of its function from the start', () => {
    expect(imagePod().spec.containers[0]?.resources).toEqual({
      requests: { cpu: '500m', memory: '1769Mi' },
      limits: { cpu: '1000m', memory: '1769Mi' },
    });
  });

  test('what the image says of the agent is not heard', () => {
    const names = imagePod().spec.containers[0]?.env.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'KAPPA_TASK_DIR',
        'KAPPA_OPT_DIR',
        'KAPPA_TMP_DIR',
        'KAPPA_RUNTIME_API',
        'KAPPA_RUNTIME_DIR',
      ]),
    );
  });
});
