import { existsSync } from 'node:fs';
import {
  addresses,
  bridgeName,
  type ClusterPlan,
  controlName,
  type NodePlan,
  resolveNode,
  resolveZone,
} from './plan.ts';
import { run, runOk } from './run.ts';

/** Two ends between which every packet is dropped: names of nodes or zones, `ctl`, or IPv4 addresses. */
export interface Drop {
  readonly a: string;
  readonly b: string;
}

/**
 * Makes the control namespace with the bridge, and one namespace for each node with a cable into it. Nothing of it is
 * connected to the machine's own network: no packet can leave.
 */
export async function createNetwork(plan: ClusterPlan): Promise<void> {
  await runOk(['ip', 'netns', 'add', controlName]);
  await batch(controlName, [
    'link set lo up',
    `link add ${bridgeName} type bridge`,
    `address add ${addresses.control}/24 dev ${bridgeName}`,
    `address add ${addresses.internet}/24 dev ${bridgeName}`,
    `link set ${bridgeName} up`,
  ]);
  // Packets between nodes must not run through the control namespace's service rules on their way over the bridge.
  await sysctl(controlName, ['net/bridge/bridge-nf-call-iptables=0', 'net/bridge/bridge-nf-call-ip6tables=0']);
  // A packet to a Service needs a route before the service rules give it another one.
  await batch(controlName, [`route add ${addresses.serviceRange} dev ${bridgeName}`]);
  for (const node of plan.nodes) await addNode(node);
  for (const namespace of [controlName, ...plan.nodes.map((node) => node.group)]) {
    const others = plan.nodes.filter((node) => node.group !== namespace);
    await batch(
      namespace,
      others.map((node) => `route add ${node.podRange} via ${node.address}`),
    );
  }
}

/** Removes the namespaces; what is in them goes with them. Does nothing where there is none. */
export async function deleteNetwork(groups: readonly string[]): Promise<void> {
  for (const name of groups) {
    if (existsSync(`/run/netns/${name}`)) await run(['ip', 'netns', 'delete', name]);
  }
}

/** Plugs a node's cable in or out; its pods go on and see no other node. */
export async function setCable(node: NodePlan, state: 'up' | 'down'): Promise<void> {
  await runOk(['ip', '-n', controlName, 'link', 'set', node.port, state]);
}

/** Takes a killed node's leftovers (pods' cables, service and policy rules) out of its namespace, as a reboot does. */
export async function resetNode(node: NodePlan): Promise<void> {
  await runOk(['nft', 'flush', 'ruleset'], { netns: node.group });
  const links: unknown = JSON.parse(await runOk(['ip', '-n', node.group, '-j', 'link', 'show']));
  for (const link of Array.isArray(links) ? links : []) {
    const name: unknown = link?.ifname;
    if (typeof name === 'string' && name.startsWith('veth'))
      await run(['ip', '-n', node.group, 'link', 'delete', name]);
  }
}

/** Makes exactly these drops hold, in every namespace. */
export async function applyDrops(plan: ClusterPlan, drops: readonly Drop[]): Promise<void> {
  const rules = makeDropRules(plan, drops);
  for (const namespace of [controlName, ...plan.nodes.map((node) => node.group)]) {
    await runOk(['nft', '-f', '-'], { netns: namespace, input: rules });
  }
}

/**
 * nftables rules of the drops, which replace earlier ones. They come after address translation, so that a packet to a
 * Service counts as one to the pod behind it; established connections stop too.
 */
export function makeDropRules(plan: ClusterPlan, drops: readonly Drop[]): string {
  const pairs = drops.flatMap(({ a, b }) => {
    const [left, right] = [makeSet(rangesOf(plan, a)), makeSet(rangesOf(plan, b))];
    return [`ip saddr ${left} ip daddr ${right} drop`, `ip saddr ${right} ip daddr ${left} drop`];
  });
  const chains = ['input', 'output', 'forward'].map((hook) =>
    [`chain ${hook} {`, `type filter hook ${hook} priority 10; policy accept;`, ...pairs, '}'].join('\n'),
  );
  const table = 'table ip kappa_drops';
  return [table, `delete ${table}`, `${table} {`, ...chains, '}', ''].join('\n');
}

function rangesOf(plan: ClusterPlan, end: string): readonly string[] {
  if (/^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(end)) return [end];
  if (end === 'ctl') return [addresses.control, addresses.internet];
  const nodes = plan.nodes.some((node) => node.name === end) ? [resolveNode(plan, end)] : resolveZone(plan, end);
  return nodes.flatMap((node) => [node.address, node.podRange]);
}

function makeSet(ranges: readonly string[]): string {
  return `{ ${ranges.join(', ')} }`;
}

async function addNode(node: NodePlan): Promise<void> {
  await runOk(['ip', 'netns', 'add', node.group]);
  const cable = ['link', 'add', 'eth0', 'netns', node.group, 'type', 'veth', 'peer', 'name', node.port];
  await runOk(['ip', ...cable, 'netns', controlName]);
  await batch(controlName, [`link set ${node.port} master ${bridgeName}`, `link set ${node.port} up`]);
  await batch(node.group, [
    'link set lo up',
    `address add ${node.address}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${addresses.control}`, // kept by the control namespace, which forwards nothing
  ]);
  await sysctl(node.group, ['net/ipv4/ip_forward=1']);
}

async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  await runOk(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

async function sysctl(namespace: string, settings: readonly string[]): Promise<void> {
  // Written, not set with sysctl(8): a kernel without the bridge filter has no such file and needs none.
  const script = '[ ! -e "$1" ] || echo "$2" > "$1"';
  for (const setting of settings) {
    const [name = '', value = ''] = setting.split('=');
    await runOk(['sh', '-c', script, 'sh', `/proc/sys/${name}`, value], { netns: namespace });
  }
}
