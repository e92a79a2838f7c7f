import { fileURLToPath } from 'node:url';
import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { cpuMicroseconds } from '../process-stats.ts';
import { ratios, show, summarize } from '../stats.ts';
import { type LoadResult, load, type Served, serve, tool } from '../tools.ts';

const connections = 16;
const requestsPerRound = 40_000;

interface Subject {
  readonly name: 'echo' | 'gateway' | 'proxy';
  readonly url: string;
  readonly pid: number;
}

interface Round {
  readonly cpuUs: number;
  readonly perSecond: number;
  readonly errors: number;
  readonly lastError: string | undefined;
}

/**
 * CPU and throughput of the gateway for warm requests, with stub agents (no language runtime), beside a bare node:http echo server and Go's
 * reverse proxy in front of an HTTP stub. POST 512 bytes in and out, 16 callers, rounds interleaved; the first is thrown away.
 */
export async function warmPath(rounds: number): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start({ KAPPA_AGENT: tool('stub-agent'), KAPPA_POOL_MIN_REPLICAS: '20' });
  const served: Served[] = [];
  try {
    await kappa.apply([inlineFunction('stub', 'nodejs24.x', { idleTimeoutSeconds: 3600 })]);
    await kappa.whenFull('nodejs24.x', 20);
    served.push(
      await serve(process.execPath, [fileURLToPath(new URL('../echo-server.ts', import.meta.url)), '19701'], 19701),
    );
    served.push(await serve(tool('http-stub'), ['127.0.0.1:19702'], 19702));
    served.push(await serve(tool('reverse-proxy'), ['127.0.0.1:19703', 'http://127.0.0.1:19702'], 19703));
    const [echo, , proxy] = served as [Served, Served, Served];
    const subjects: Subject[] = [
      { name: 'echo', url: echo.url, pid: echo.pid },
      { name: 'gateway', url: kappa.invokeUrl('stub'), pid: kappa.pid('gateway') },
      { name: 'proxy', url: proxy.url, pid: proxy.pid },
    ];
    const measured = await interleave(subjects, rounds);
    return toRows(measured);
  } finally {
    for (const { stop } of served) stop();
    await kappa.stop();
  }
}

async function interleave(subjects: readonly Subject[], rounds: number): Promise<Record<Subject['name'], Round[]>> {
  const measured: Record<Subject['name'], Round[]> = { echo: [], gateway: [], proxy: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const subject of subjects) {
      const before = cpuMicroseconds(subject.pid);
      const result: LoadResult = await load([subject.url], { connections, requests: requestsPerRound });
      const cpuUs = (cpuMicroseconds(subject.pid) - before) / result.requests;
      const perSecond = result.requests / result.seconds;
      if (round > 0)
        measured[subject.name].push({ cpuUs, perSecond, errors: result.errors, lastError: result.lastError });
    }
  }
  return measured;
}

function toRows({ echo, gateway, proxy }: Record<Subject['name'], Round[]>): readonly Row[] {
  const cpu = (rounds: readonly Round[]): number[] => rounds.map(({ cpuUs }) => cpuUs);
  const rate = (rounds: readonly Round[]): number[] => rounds.map(({ perSecond }) => perSecond);
  const errors = gateway.reduce((sum, round) => sum + round.errors, 0);
  const cpuToEcho = summarize(ratios(cpu(gateway), cpu(echo)));
  const rateToEcho = summarize(ratios(rate(gateway), rate(echo)));
  const cpuToProxy = summarize(ratios(cpu(gateway), cpu(proxy)));
  const rateToProxy = summarize(ratios(rate(gateway), rate(proxy)));
  const us = (rounds: readonly Round[]): string => `${show(summarize(cpu(rounds)))} µs`;
  const perSecond = (rounds: readonly Round[]): string => `${show(summarize(rate(rounds)), 0)} /s`;
  const lastError = gateway.find((round) => round.lastError !== undefined)?.lastError;
  return [
    {
      figure: 'gateway CPU per warm request, 512 B, stub runtime',
      measured: `${us(gateway)}; ${show(cpuToEcho, 2)} × echo`,
      floor: `node:http echo ${us(echo)}`,
      target: '≤ 2.3 × echo',
      isMet: cpuToEcho.median <= 2.3,
    },
    {
      figure: 'throughput of one gateway process, stub agents, 16 callers',
      measured: `${perSecond(gateway)}; ${show(rateToEcho, 2)} × echo; ${errors} errors${lastError === undefined ? '' : ` (${lastError})`}`,
      floor: `node:http echo ${perSecond(echo)}`,
      target: '≥ 0.45 × echo, no error',
      isMet: rateToEcho.median >= 0.45 && errors === 0,
    },
    {
      figure: 'CPU beside Go httputil.ReverseProxy',
      measured: `${show(cpuToProxy, 2)} × the proxy`,
      floor: `proxy ${us(proxy)}`,
      target: '≤ 0.9 ×',
      isMet: cpuToProxy.median <= 0.9,
    },
    {
      figure: 'throughput beside Go httputil.ReverseProxy',
      measured: `${show(rateToProxy, 2)} × the proxy`,
      floor: `proxy ${perSecond(proxy)}`,
      target: '≥ 1 ×',
      isMet: rateToProxy.median >= 1,
    },
  ];
}
