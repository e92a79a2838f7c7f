/**
 * A checker of Kubernetes' Pod Security Standards, level *restricted* (which holds all of *baseline*), written from their documentation: the
 * control plane's own one is not at hand in a unit test.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */

type Json = Readonly<Record<string, unknown>>;

const volumeTypes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const seLinuxTypes = [undefined, '', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

/** Names of the rules that a pod breaks, each once, sorted. */
export function podSecurityViolations(pod: unknown): readonly string[] {
  const spec = at(pod, 'spec');
  const containers = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((key) => list(spec, key));
  const podContext = at(spec, 'securityContext');
  const contexts = [podContext, ...containers.map((container) => at(container, 'securityContext'))];
  const broken: Readonly<Record<string, boolean>> = {
    ...ofPod(pod, spec, podContext),
    ...ofContexts(contexts),
    ...ofContainers(containers, podContext),
  };
  return Object.keys(broken)
    .filter((rule) => broken[rule])
    .sort();
}

function ofPod(pod: unknown, spec: Json, context: Json): Readonly<Record<string, boolean>> {
  const annotations = Object.entries(at(at(pod, 'metadata'), 'annotations'));
  return {
    hostNetwork: is(spec['hostNetwork']),
    hostPID: is(spec['hostPID']),
    hostIPC: is(spec['hostIPC']),
    sysctls: list(context, 'sysctls').some(({ name }) => !safeSysctls.includes(String(name))),
    volumes: list(spec, 'volumes').some((volume) =>
      Object.keys(volume).some((key) => key !== 'name' && !volumeTypes.includes(key)),
    ),
    'appArmor annotation': annotations.some(
      ([name, value]) =>
        name.startsWith('container.apparmor.security.beta.kubernetes.io/') &&
        !/^(runtime\/default|localhost\/.+)$/.test(String(value)),
    ),
  };
}

/** Rules about the pod's security context and those of all its containers alike. */
function ofContexts(contexts: readonly Json[]): Readonly<Record<string, boolean>> {
  const some = (check: (context: Json) => boolean): boolean => contexts.some(check);
  return {
    hostProcess: some((context) => is(at(context, 'windowsOptions')['hostProcess'])),
    appArmor: some(
      (context) => ![undefined, 'RuntimeDefault', 'Localhost'].includes(textAt(context, 'appArmorProfile', 'type')),
    ),
    'seLinux type': some((context) => !seLinuxTypes.includes(textAt(context, 'seLinuxOptions', 'type'))),
    'seLinux user': some((context) =>
      [textAt(context, 'seLinuxOptions', 'user'), textAt(context, 'seLinuxOptions', 'role')].some(
        (value) => (value ?? '') !== '',
      ),
    ),
    runAsUser: some((context) => context['runAsUser'] === 0),
  };
}

function ofContainers(containers: readonly Json[], podContext: Json): Readonly<Record<string, boolean>> {
  const contexts = containers.map((container) => at(container, 'securityContext'));
  const capabilities = contexts.map((context) => at(context, 'capabilities'));
  const isConfined = (context: Json): boolean =>
    ['RuntimeDefault', 'Localhost'].includes(textAt(context, 'seccompProfile', 'type') ?? '');
  const isUnset = (context: Json): boolean => textAt(context, 'seccompProfile', 'type') === undefined;
  const isPodConfined = isConfined(podContext);
  return {
    privileged: contexts.some((context) => is(context['privileged'])),
    procMount: contexts.some((context) => ![undefined, 'Default'].includes(text(context['procMount']))),
    allowPrivilegeEscalation: contexts.some((context) => context['allowPrivilegeEscalation'] !== false),
    runAsNonRoot: contexts.some((context) => (context['runAsNonRoot'] ?? podContext['runAsNonRoot']) !== true),
    seccomp:
      (!isPodConfined && !isUnset(podContext)) ||
      contexts.some((context) => !isConfined(context) && !(isUnset(context) && isPodConfined)),
    'capabilities.drop': capabilities.some((own) => !texts(own['drop']).includes('ALL')),
    'capabilities.add': capabilities.some((own) => texts(own['add']).some((name) => name !== 'NET_BIND_SERVICE')),
    hostPort: containers.some((container) => list(container, 'ports').some(({ hostPort }) => (hostPort ?? 0) !== 0)),
    'probe host': containers.some((container) =>
      ['livenessProbe', 'readinessProbe', 'startupProbe'].some((key) => hasHost(at(container, key))),
    ),
    'hook host': containers.some((container) =>
      ['postStart', 'preStop'].some((key) => hasHost(at(at(container, 'lifecycle'), key))),
    ),
  };
}

function hasHost(action: Json): boolean {
  return ['httpGet', 'tcpSocket'].some((key) => (textAt(action, key, 'host') ?? '') !== '');
}

function is(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function at(value: unknown, key: string): Json {
  const inner = isJson(value) ? value[key] : undefined;
  return isJson(inner) ? inner : {};
}

function list(value: Json, key: string): readonly Json[] {
  const inner = value[key];
  return Array.isArray(inner) ? inner.filter(isJson) : [];
}

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

function textAt(value: Json, key: string, inner: string): string | undefined {
  return text(at(value, key)[inner]);
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
