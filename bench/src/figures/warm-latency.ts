import { fileURLToPath } from 'node:url';
import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import { DirectPod } from '../direct-pod.ts';
import type { Row } from '../figure.ts';
import { percentile, show, summarize } from '../stats.ts';
import { load, serve } from '../tools.ts';

const requestsPerRound = 2_000;

/**
 * What the gateway adds to a warm call at concurrency 1: the same Node.js handler called through the gateway over HTTP, and over the agent's link
 * directly; both p50, rounds interleaved. The echo server's p50 is what the HTTP client alone costs.
 */
export async function warmLatency(rounds: number): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start();
  const echo = await serve(
    process.execPath,
    [fileURLToPath(new URL('../echo-server.ts', import.meta.url)), '19704'],
    19704,
  );
  const direct = await DirectPod.start();
  try {
    await kappa.apply([inlineFunction('hello', 'nodejs24.x', { idleTimeoutSeconds: 3600 })]);
    const through: number[] = [];
    const straight: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const viaGateway = await load([kappa.invokeUrl('hello')], { connections: 1, requests: requestsPerRound });
      const viaLink = await direct.latenciesUs(requestsPerRound);
      const viaEcho = await load([echo.url], { connections: 1, requests: requestsPerRound });
      if (viaGateway.errors > 0) throw new Error(`errors in the warm path: ${viaGateway.lastError}`);
      if (round === 0) continue;
      through.push(viaGateway.p50Us / 1000);
      straight.push(percentile(viaLink, 0.5) / 1000);
      bare.push(viaEcho.p50Us / 1000);
    }
    const added = summarize(through.map((value, round) => value - (straight[round] ?? 0)));
    return [
      {
        figure: 'warm overhead through the gateway, p50, concurrency 1',
        measured: `${show(added, 2)} ms (through ${show(summarize(through), 2)}, link ${show(summarize(straight), 2)})`,
        floor: `node:http echo ${show(summarize(bare), 2)} ms`,
        target: '≤ 0.8 ms',
        isMet: added.median <= 0.8,
      },
    ];
  } finally {
    await direct.stop();
    echo.stop();
    await kappa.stop();
  }
}
