import { readFileSync } from 'node:fs';
import { type Pod, pods } from '@kappa/crds/client/kinds';
import { eventually } from '@kappa/e2e/eventually';
import { everyProcessOf } from '@kappa/e2e/installed';
import { type BenchCluster, benchLabel, type Part } from './bench-cluster.ts';
import { toolImage } from './tool-images.ts';

const namespace = 'kappa-bench';
const port = 8080;

/** Go's reverse proxy in a pod, in front of pods that echo: what a gateway is measured beside. */
export interface ProxiedPods {
  readonly url: string;
  readonly proxy: Part;
  /** The echo pod on the proxy's node. */
  readonly echoUrl: string;
}

/**
 * Starts an echo pod on every node, a Service in front of them, and the proxy on a given node. The proxy reaches its upstreams as a
 * gateway reaches its own: over the pods' network, in all zones. They go with {@link BenchCluster.cleanUp}.
 *
 * @param options `isHurried`: the echo pods get the processor as soon as anybody, for figures of latency
 */
export async function startProxiedPods(
  cluster: BenchCluster,
  node: string,
  { isHurried = false } = {},
): Promise<ProxiedPods> {
  const { kubectl } = cluster.kappa;
  const labels = { [benchLabel]: 'cluster' };
  const apply = (manifest: object): Promise<string> => kubectl.apply(manifest);
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  const echoArgs = [`0.0.0.0:${port}`, ...(isHurried ? ['-batch=false'] : [])];
  const { items } = await kubectl.json<{ items: { metadata: { name: string } }[] }>(['nodes']);
  for (const { metadata } of items) await apply(makePod(`echo-${metadata.name}`, 'http-stub', echoArgs, metadata.name));
  await apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo', namespace },
    spec: { selector: { app: 'http-stub' }, ports: [{ port, targetPort: port }] },
  });
  await kubectl.ok(['wait', 'pod', '-n', namespace, '-l', 'app=http-stub', '--for=condition=Ready', '--timeout=60s']);
  const { spec } = await kubectl.json<{ spec: { clusterIP: string } }>(['svc', 'echo', '-n', namespace]);
  await apply(makePod('proxy', 'reverse-proxy', [`0.0.0.0:${port}`, `http://${spec.clusterIP}:${port}`], node));
  await kubectl.ok(['wait', 'pod/proxy', '-n', namespace, '--for=condition=Ready', '--timeout=60s']);
  const proxy = partOf(await cluster.kubernetes.get(pods, namespace, 'proxy'));
  const url = `http://${proxy.ip}:${port}/`;
  const answers = async (): Promise<boolean> => (await fetch(url, { method: 'POST', body: '{}' })).ok;
  await eventually('the proxy answers', answers);
  const { status } = await cluster.kubernetes.get(pods, namespace, `echo-${node}`);
  return { url, proxy, echoUrl: `http://${status?.podIP}:${port}/` };
}

function makePod(name: string, tool: 'http-stub' | 'reverse-proxy', args: readonly string[], node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: tool } },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: tool, image: toolImage(tool), imagePullPolicy: 'Never', args }],
    },
  };
}

/** Its program has the name that the pod's pause has, too: arguments tell them apart. */
function partOf({ metadata, spec, status }: Pod): Part {
  const isProgram = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`:${port}`);
  const pid = everyProcessOf(metadata.uid).find(isProgram);
  if (pid === undefined) throw new Error(`${metadata.name} has no process on this machine`);
  return { name: metadata.name, ip: status?.podIP ?? '', node: spec.nodeName ?? '', pid };
}
