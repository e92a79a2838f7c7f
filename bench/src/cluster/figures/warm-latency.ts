import { pods, secrets } from '@kappa/crds/client/kinds';
import { eventually } from '@kappa/e2e/eventually';
import { makeFunction } from '@kappa/e2e/functions';
import { release } from '@kappa/e2e/installed';
import type { Row } from '../../figure.ts';
import { percentile, show, summarize } from '../../stats.ts';
import { load } from '../../tools.ts';
import { makeBarePod } from '../bare-pod.ts';
import type { BenchCluster, Part } from '../bench-cluster.ts';
import { LinkedPod } from '../linked-pod.ts';
import { callForOwner, invocationsAt } from '../owner.ts';
import type { PodView } from '../pod-watch.ts';
import { startProxiedPods } from '../proxied-pods.ts';

const name = 'warm';
/** Reserved concurrency: such a function always has one owner, and every other gateway forwards to it. */
const singleName = 'warm-single';
const source = `export const handler = async (event) => ({ hello: event.name ?? 'hello' });\n`;
const callsPerRound = 2_000;
/** One vCPU: with less, the kernel's CPU quota would be what a closed loop measures. */
const memoryMiB = 1769;

/**
 * What Kappa adds to a warm call, one caller, 512 bytes: the p50 of signed Invoke over HTTP, from outside the nodes to a gateway's pod, minus the p50 of
 * the link alone: another pod of the same spec and size on the same node, claimed by the bench with the install's key and called from the
 * network namespace of the gateway that owns the function, because policies let nobody else reach an agent. So what is added holds the caller's
 * HTTP, one more network hop, the signature's check and the gateway; the handler, the agent and the gateway's hop to the pod
 * cancel out. Separately for a gateway that owns the function (one that is called steadily gets an owner in every zone), and for one that forwards
 * each call to the only owner there may be. For comparison, what the caller's plain HTTP to an echo pod costs, and the same through Go's reverse
 * proxy in a pod. Rounds interleaved, the first thrown away.
 */
export async function warmLatency(cluster: BenchCluster, rounds: number): Promise<readonly Row[]> {
  const spec = { memoryMiB, idleTimeoutSeconds: 3600 };
  await cluster.make([
    makeFunction(name, { 'index.mjs': source }, spec),
    makeFunction(singleName, { 'index.mjs': source }, { ...spec, concurrency: { reserved: 500 } }),
  ]);
  const gateways = await cluster.gateways();
  const owner = await callForOwner(gateways, name);
  const single = await callForOwner(gateways, singleName);
  const other = gateways.find((gateway) => gateway !== single);
  if (other === undefined) throw new Error('there is only one gateway');
  await resized(cluster, singleName);
  const link = await openLink(cluster, owner, await resized(cluster, name));
  const { url: proxyUrl, echoUrl } = await startProxiedPods(cluster, owner.node, { isHurried: true });
  const p50s: P50s[] = [];
  const [before = 0] = await invocationsAt([other], singleName);
  try {
    for (let round = 0; round <= rounds; round++) {
      const measured = {
        owner: await throughGateway(cluster, owner, name),
        link: percentile(await link.latenciesUs(callsPerRound), 0.5) / 1000,
        other: await throughGateway(cluster, other, singleName),
        proxy: await p50Ms(proxyUrl),
        echo: await p50Ms(echoUrl),
      };
      if (round > 0) p50s.push(measured);
    }
  } finally {
    link.stop();
  }
  const [after = 0] = await invocationsAt([other], singleName);
  const forwarded = 1 - (after - before) / (callsPerRound * (rounds + 1)); // less than all when the ring changed
  return [
    toRow('at a gateway that owns the function', 'owner', p50s),
    toRow(`forwarded (${(forwarded * 100).toFixed(0)} % of the calls)`, 'other', p50s),
  ];
}

/** Milliseconds, of one round. */
type P50s = Readonly<Record<'owner' | 'other' | 'link' | 'proxy' | 'echo', number>>;

function toRow(where: string, gateway: 'owner' | 'other', p50s: readonly P50s[]): Row {
  const added = summarize(p50s.map((p50) => p50[gateway] - p50.link));
  const ms = (subject: keyof P50s): string => show(summarize(p50s.map((p50) => p50[subject])), 2);
  return {
    figure: `warm overhead, p50, one caller, ${where}`,
    measured: `${show(added, 2)} ms (through ${ms(gateway)})`,
    floor: `the link alone ${ms('link')} ms; plain HTTP to an echo pod ${ms('echo')}, through Go ReverseProxy ${ms('proxy')}`,
    target: '≤ 0.4 ms',
    isMet: added.median <= 0.4,
  };
}

async function throughGateway(cluster: BenchCluster, gateway: Part, fn: string): Promise<number> {
  const { url, headers } = await cluster.signedInvoke(gateway, fn, `{"pad":"${'x'.repeat(502)}"}`);
  return p50Ms(url, headers, 0);
}

async function p50Ms(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  toleratedErrors = callsPerRound / 1_000,
): Promise<number> {
  const options = { connections: 1, requests: callsPerRound, headers, isHurried: true, isInCluster: true };
  const result = await load([url], options);
  if (result.errors > toleratedErrors) throw new Error(`${result.errors} errors at ${url}: ${result.lastError}`);
  return result.p50Us / 1000;
}

/** A function's pod, when it has got the size of the function. */
async function resized(cluster: BenchCluster, fn: string): Promise<PodView> {
  const pod = await cluster.pods.podOf(fn);
  await eventually(`${pod.name} has the function's size`, async () => {
    const { spec } = await cluster.kubernetes.get(pods, release.poolNamespace, pod.name);
    return spec.containers[0]?.resources?.limits?.['memory'] === `${memoryMiB}Mi`;
  });
  return pod;
}

async function openLink(cluster: BenchCluster, owner: Part, pod: PodView): Promise<LinkedPod> {
  const like = await cluster.kubernetes.get(pods, release.poolNamespace, pod.name);
  const { resources } = like.spec.containers[0] ?? {};
  const floorPod = makeBarePod(like, 'warm-floor', {
    node: pod.node,
    ...(resources === undefined ? {} : { resources }),
  });
  await cluster.kubernetes.create(pods, floorPod);
  const { ip, uid } = await cluster.pods.ready('warm-floor');
  const { data } = await cluster.kubernetes.get(secrets, release.namespace, 'kappa-gateway-key');
  const signingKey = Buffer.from(data?.['privateKey.pem'] ?? '', 'base64').toString();
  return LinkedPod.open(owner, { host: ip, podUid: uid, signingKey, source });
}
