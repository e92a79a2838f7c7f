/** Network address of everything in the cluster that is not a node or a pod. All of it exists only in namespaces of the run. */
export const addresses = {
  /** The control namespace on the nodes' bridge: API server, load generators, test servers. */
  control: '172.30.0.1',
  nodeRange: '172.30.0.0/24',
  /** A second address of the control namespace, outside every private range: what policies regard as the internet. */
  internet: '198.51.100.1',
  internetRange: '198.51.100.0/24',
  podRange: '10.244.0.0/16',
  serviceRange: '10.96.0.0/16',
  dns: '10.96.0.10',
  apiPort: 6443,
} as const;

/** Name of the network namespace that holds the bridge and the control plane; cgroup of the control plane, too. */
export const controlName = 'kappa-ctl';

/** The bridge between the nodes, inside the control namespace. */
export const bridgeName = 'br0';

/** One node: a network namespace and a cgroup of the same name, and a kubelet. */
export interface NodePlan {
  /** Name of the Node object, e.g. `node-a1`. */
  readonly name: string;
  /** Value of its label topology.kubernetes.io/zone, e.g. `zone-a`. */
  readonly zone: string;
  /** 1 and up, over all zones. */
  readonly index: number;
  readonly address: string;
  /** Addresses of its pods. */
  readonly podRange: string;
  /** Network namespace and cgroup. */
  readonly group: string;
  /** Name of the bridge's end of its cable. */
  readonly port: string;
}

/** What a cluster consists of. */
export interface ClusterPlan {
  readonly zones: readonly string[];
  readonly nodes: readonly NodePlan[];
}

/** How large a cluster is. */
export interface ClusterSize {
  /** 1 to 26. */
  readonly zones: number;
  /** 1 to 9. */
  readonly nodesPerZone: number;
}

/** Names and addresses of a cluster's nodes, in the order of zones. Throws RangeError when it is too large. */
export function planCluster(size: ClusterSize): ClusterPlan {
  const { zones, nodesPerZone } = size;
  if (!isWithin(zones, 26)) throw new RangeError(`zones must be 1 to 26, not ${zones}`);
  if (!isWithin(nodesPerZone, 9)) throw new RangeError(`nodes per zone must be 1 to 9, not ${nodesPerZone}`);
  const letters = [...'abcdefghijklmnopqrstuvwxyz'].slice(0, zones);
  const places = letters.flatMap((letter) =>
    Array.from({ length: nodesPerZone }, (_, place) => ({ letter, number: place + 1 })),
  );
  return { zones: letters.map(zoneName), nodes: places.map((place, at) => planNode(place, at + 1)) };
}

/** The node of that name. Throws RangeError with the known names. */
export function resolveNode(plan: ClusterPlan, name: string): NodePlan {
  const node = plan.nodes.find((candidate) => candidate.name === name);
  if (node) return node;
  throw new RangeError(`no node is called ${name}; there are ${plan.nodes.map((known) => known.name).join(', ')}`);
}

/** The nodes of a zone (`a` is short for `zone-a`). Throws RangeError with the known zones. */
export function resolveZone(plan: ClusterPlan, name: string): readonly NodePlan[] {
  const zone = plan.zones.find((candidate) => candidate === name || candidate === zoneName(name));
  if (zone) return plan.nodes.filter((node) => node.zone === zone);
  throw new RangeError(`no zone is called ${name}; there are ${plan.zones.join(', ')}`);
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

function zoneName(letter: string): string {
  return `zone-${letter}`;
}

function planNode({ letter, number }: { readonly letter: string; readonly number: number }, index: number): NodePlan {
  const short = `${letter}${number}`;
  return {
    name: `node-${short}`,
    zone: zoneName(letter),
    index,
    address: `172.30.0.${10 + index}`,
    podRange: `10.244.${index}.0/24`,
    group: `kappa-node-${short}`,
    port: `to-${short}`,
  };
}
