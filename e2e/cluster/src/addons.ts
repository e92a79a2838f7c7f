import { mkdirSync } from 'node:fs';
import { nodePaths } from './node.ts';
import { addresses, type ClusterPlan, type NodePlan } from './plan.ts';

/** Image of the cluster's name server. */
export const dnsImage = 'localhost/coredns:1';

/** Volumes that each node offers. */
const volumesPerNode = 3;

/** Names outside the cluster that pods can resolve; all are the test address in the control namespace. */
const outsideNames = ['internet.test', 'ledger.test'];

const dnsLabels = { 'k8s-app': 'kube-dns' };

/** What nodes need before they start: the rights of the policy enforcer. Local disks as well. */
export function makeEarlyAddons(plan: ClusterPlan, runDir: string): readonly object[] {
  return [...makeEnforcerRights(), ...makeStorage(plan, runDir)];
}

/**
 * Names: one name server for each zone, asked by its own zone first. Applied when all nodes are there, since the
 * scheduler spreads over the zones it knows.
 */
export function makeDns(plan: ClusterPlan): readonly object[] {
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  const subject = { kind: 'ServiceAccount', ...metadata };
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' };
  const read = ['list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  ];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role.name }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: role.name },
      roleRef: role,
      subjects: [subject],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: makeCorefile() } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: makeDnsDeployment(plan.zones.length) },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: dnsLabels },
      spec: {
        clusterIP: addresses.dns,
        selector: dnsLabels,
        trafficDistribution: 'PreferSameZone',
        ports: ['UDP', 'TCP'].map((protocol) => ({ name: `dns-${protocol.toLowerCase()}`, port: 53, protocol })),
      },
    },
  ];
}

/** Three servers by zone, since the order of plugins within one is fixed and an answer to everything comes first in it. */
function makeCorefile(): string {
  const outside = outsideNames.map((name) => `    ${addresses.internet} ${name}`).join('\n');
  return `cluster.local in-addr.arpa ip6.arpa {
  errors
  health :8080
  ready :8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 5
  }
  cache 5
  loadbalance
}
test {
  errors
  hosts {
${outside}
  }
}
. {
  errors
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}

function makeDnsDeployment(replicas: number): object {
  const probe = (path: string, port: number): object => ({ httpGet: { path, port }, periodSeconds: 2 });
  const container = {
    name: 'coredns',
    image: dnsImage,
    imagePullPolicy: 'Never',
    args: ['-conf', '/etc/coredns/Corefile'],
    volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
    resources: { requests: { cpu: '10m', memory: '32Mi' } },
    readinessProbe: probe('/ready', 8181),
    livenessProbe: { ...probe('/health', 8080), periodSeconds: 10 },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
  const spread = {
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: dnsLabels },
  };
  const spec = {
    serviceAccountName: 'coredns',
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'Default',
    topologySpreadConstraints: [spread],
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
  };
  return { replicas, selector: { matchLabels: dnsLabels }, template: { metadata: { labels: dnsLabels }, spec } };
}

/** Local disks: claims of the class `standard` get one on the node their pod is put on. See recycleVolumes. */
export function makeStorage(plan: ClusterPlan, runDir: string): readonly object[] {
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  const numbers = Array.from({ length: volumesPerNode }, (_, at) => at + 1);
  return [storageClass, ...plan.nodes.flatMap((node) => numbers.map((number) => makeVolume(node, number, runDir)))];
}

function makeVolume(node: NodePlan, number: number, runDir: string): object {
  const path = `${nodePaths(runDir, node.name).volumes}/${number}`;
  mkdirSync(path, { recursive: true });
  const onNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [node.name] };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${node.name}-${number}` },
    spec: {
      capacity: { storage: '20Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'standard',
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
    },
  };
}

/** The enforcer reads policies and whom they select. */
function makeEnforcerRights(): readonly object[] {
  const read = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: read },
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: read },
  ];
  const metadata = { name: 'netpol' };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'netpol' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'netpol' }];
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
  ];
}
