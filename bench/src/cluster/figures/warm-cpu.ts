import { makeFunction } from '@kappa/e2e/functions';
import type { Row } from '../../figure.ts';
import { cpuMicroseconds } from '../../process-stats.ts';
import { ratios, show, summarize } from '../../stats.ts';
import { load } from '../../tools.ts';
import type { BenchCluster, Part } from '../bench-cluster.ts';
import { functionUrl } from '../call.ts';
import { callForOwner, forwardedBy } from '../owner.ts';
import { startProxiedPods } from '../proxied-pods.ts';
import { stubRuntime } from '../tool-images.ts';

const name = 'echo-cpu';
const connections = 16;
const requestsPerRound = 20_000;
const secondsPerRound = 8;
/** Half a vCPU each: 16 of these pods fit on three nodes of two cores, and no quota holds them up. */
const memoryMiB = 884;

type SubjectName = 'url' | 'spread' | 'invoke' | 'proxy';

interface Subject {
  /** Whose CPU time counts. */
  readonly parts: readonly Part[];
  readonly isGateway: boolean;
  readonly target: () => Promise<{
    readonly urls: readonly string[];
    readonly headers?: Readonly<Record<string, string>>;
  }>;
}

interface Round {
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Of the requests, 0..1: given to another gateway that owns the function, too. */
  readonly forwarded: number;
  readonly errors: number;
  readonly lastError: string;
}

/**
 * CPU time of the gateway's process per request, its upstreams being 16 pods of a pool in all zones, beside that of Go's `httputil.ReverseProxy` in a
 * pod on the same node, whose upstreams are echo pods on all nodes. Both sides' upstreams answer by themselves and without a language runtime: on two
 * cores sixteen of those would leave the gateway a thousand requests a second, and its CPU time would be what waking up costs. POST, 512
 * bytes in, 16 callers from outside the nodes; rounds interleaved, the first thrown away. As a function URL, which takes any HTTP request and checks no
 * signature, as the proxy does (the answer is the whole event, 1.5 KB): to one gateway that owns the function, which is the proxy's part; and by turns to
 * each of the gateways, as the Service spreads them, and the CPU time of all of them together. As signed Invoke: to the one gateway. CPU time is the processes' own, as the kernel counts it.
 */
export async function warmCpu(cluster: BenchCluster, rounds: number): Promise<readonly Row[]> {
  const spec = { runtime: stubRuntime, memoryMiB, idleTimeoutSeconds: 3600 };
  await cluster.make([makeFunction(name, { 'index.mjs': 'export const handler = async (event) => event;\n' }, spec)]);
  await cluster.resizePool(stubRuntime, connections);
  const gateways = await cluster.gateways();
  const owner = await callForOwner(gateways, name);
  const { proxy, url } = await startProxiedPods(cluster, owner.node);
  const body = `{"pad":"${'x'.repeat(502)}"}`;
  const subjects: Readonly<Record<SubjectName, Subject>> = {
    url: {
      parts: [owner],
      isGateway: true,
      target: async () => ({ urls: [functionUrl(owner.ip, name)] }),
    },
    spread: {
      parts: gateways,
      isGateway: true,
      target: async () => ({ urls: gateways.map(({ ip }) => functionUrl(ip, name)) }),
    },
    invoke: {
      parts: [owner],
      isGateway: true,
      target: async () => {
        const signed = await cluster.signedInvoke(owner, name, body);
        return { urls: [signed.url], headers: signed.headers };
      },
    },
    proxy: { parts: [proxy], isGateway: false, target: async () => ({ urls: [url] }) },
  };
  const measured: Record<SubjectName, Round[]> = { url: [], spread: [], invoke: [], proxy: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const subject of ['url', 'proxy', 'invoke', 'spread'] as const) {
      const result = await measure(subjects[subject]);
      if (round > 0) measured[subject].push(result);
    }
  }
  return [
    toRow('as a function URL, one gateway', measured.url, measured.proxy),
    toRow('as a function URL, all gateways', measured.spread, measured.proxy),
    toRow('as signed Invoke, one gateway', measured.invoke, measured.proxy),
  ];
}

async function measure({ parts, isGateway, target }: Subject): Promise<Round> {
  const { urls, headers = {} } = await target();
  const forwarded = async () => (isGateway ? sum(await Promise.all(parts.map(forwardedBy))) : 0);
  const cpuUs = () => sum(parts.map(({ pid }) => cpuMicroseconds(pid)));
  const forwardedBefore = await forwarded();
  const before = cpuUs();
  const result = await load(urls, {
    connections,
    requests: requestsPerRound,
    limitSeconds: secondsPerRound,
    headers,
    isInCluster: true,
  });
  const perRequestUs = (cpuUs() - before) / result.requests;
  const share = ((await forwarded()) - forwardedBefore) / result.requests;
  const { errors, lastError = '' } = result;
  return { cpuUs: perRequestUs, perSecond: result.requests / result.seconds, forwarded: share, errors, lastError };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

function toRow(how: string, gateway: readonly Round[], proxy: readonly Round[]): Row {
  const cpu = (rounds: readonly Round[]): readonly number[] => rounds.map(({ cpuUs }) => cpuUs);
  const errors = (rounds: readonly Round[]): number => rounds.reduce((sum, round) => sum + round.errors, 0);
  const problems = (rounds: readonly Round[]): string =>
    errors(rounds) === 0 ? '' : `, ${errors(rounds)} errors (${rounds.find((round) => round.errors > 0)?.lastError})`;
  const text = (rounds: readonly Round[]): string =>
    `${show(summarize(cpu(rounds)))} µs at ${show(summarize(rounds.map(({ perSecond }) => perSecond)), 0)} /s${problems(rounds)}`;
  const ratio = summarize(ratios(cpu(gateway), cpu(proxy)));
  const forwarded = summarize(gateway.map((round) => round.forwarded * 100));
  return {
    figure: `gateway CPU per request, stub pods as upstreams, ${how}`,
    measured: `${text(gateway)}; ${show(ratio, 2)} × the proxy; ${show(forwarded, 0)} % given to another owner`,
    floor: `Go ReverseProxy ${text(proxy)}`,
    target: '≤ 0.8 × the proxy',
    isMet: ratio.median <= 0.8 && errors(gateway) === 0,
  };
}
