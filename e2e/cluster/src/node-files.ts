import { addresses, type NodePlan } from './plan.ts';

/** Image of the container that holds each pod's namespaces. */
export const pauseImage = 'localhost/pause:1';

/** What containerd's configuration names. */
export interface ContainerdFiles {
  readonly directory: string;
  readonly socket: string;
  readonly cniPrograms: string;
  readonly runc: string;
}

/** Configuration of a node's containerd, with everything of it below the node's directory. */
export function makeContainerdConfig({ directory, socket, cniPrograms, runc }: ContainerdFiles): string {
  const runtime = "plugins.'io.containerd.cri.v1.runtime'";
  const images = "plugins.'io.containerd.cri.v1.images'";
  return `version = 3
root = '${directory}/containerd'
state = '${directory}/state'
disabled_plugins = ['io.containerd.nri.v1.nri']
[grpc]
address = '${socket}'
[plugins.'io.containerd.internal.v1.opt']
path = '${directory}/opt'
[${images}]
snapshotter = 'overlayfs'
[${images}.pinned_images]
sandbox = '${pauseImage}'
[${images}.registry]
config_path = '${directory}/registries'
[${runtime}]
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[${runtime}.cni]
bin_dirs = ['${cniPrograms}']
conf_dir = '${directory}/cni'
[${runtime}.containerd]
default_runtime_name = 'runc'
[${runtime}.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[${runtime}.containerd.runtimes.runc.options]
BinaryName = '${runc}'
SystemdCgroup = false
`;
}

/** A registry that specs run without TLS, by the name that images say. */
export const testRegistry = `${addresses.internet}:5000`;

/** What tells a node's containerd of {@link testRegistry}: the file `registries/NAME/hosts.toml`. */
export const testRegistryHosts = `server = 'http://${testRegistry}'
`;

/**
 * Script in runc's place where the machine does not let root lower an oom_score_adj: it raises every wanted value to
 * the one that is always allowed. Who dies first when memory runs out is then not as Kubernetes wants it.
 */
export function makeRuncWrapper(runc: string): string {
  return `#!/bin/sh
previous=
for argument; do
  case $previous in
    --bundle) file=$argument/config.json ;;
    --process) file=$argument ;;
    *) file= ;;
  esac
  [ -z "$file" ] || sed -i -E 's/"oomScoreAdj":-?[0-9]+/"oomScoreAdj":1000/' "$file"
  previous=$argument
done
exec '${runc}' "$@"
`;
}

/**
 * Pods' network: each pod has a cable of its own to its node, which routes. Unlike with a bridge, packets between pods
 * of one node also pass the node's rules, so policies hold for them.
 */
export function makeCniConfig(node: NodePlan, dataDir: string): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: node.podRange }]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir,
  };
  const plugins = [
    { type: 'ptp', ipMasq: false, mtu: 1500, ipam },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  return { cniVersion: '1.0.0', name: node.group, plugins };
}

/** What a kubelet's configuration names. */
export interface KubeletFiles {
  readonly node: NodePlan;
  readonly directory: string;
  readonly socket: string;
  readonly clientCaFile: string;
}

/** Configuration of a node's kubelet. Nothing is evicted or collected for want of disk: the machine's disk is shared. */
export function kubeletConfiguration({ node, directory, socket, clientCaFile }: KubeletFiles): object {
  const never = { 'memory.available': '0%', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%' };
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: node.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: clientCaFile },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.group}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    clusterDNS: [addresses.dns],
    clusterDomain: 'cluster.local',
    resolvConf: `${directory}/resolv.conf`,
    podLogsDir: `${directory}/pod-logs`,
    maxPods: 200,
    evictionHard: { ...never, 'imagefs.available': '0%', 'imagefs.inodesFree': '0%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    oomScoreAdj: 0,
    rotateCertificates: false,
  };
}

/** Configuration of a service proxy. Connection tracking's sizes are the machine's, not a namespace's, to set. */
export function proxyConfiguration(name: string, kubeconfig: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    logging: { vmodule: [{ filePattern: 'proxier', verbosity: 4 }] }, // says there what zone it has learnt
    hostnameOverride: name,
    clientConnection: { kubeconfig },
    clusterCIDR: addresses.podRange,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    nodePortAddresses: ['primary'],
  };
}
