import { setTimeout as pause } from 'node:timers/promises';
import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { rssKiB } from '../process-stats.ts';
import { ratios, show, summarize } from '../stats.ts';
import { load } from '../tools.ts';

const few = 10;
const many = 1_000;
const requests = 5_000;

/** What 990 more functions that nobody calls cost: memory of gateway and controller, and the latency of the one that is called. */
export async function manyFunctions(rounds: number): Promise<readonly Row[]> {
  const crowded = await BenchPlatform.start();
  const quiet = await BenchPlatform.start();
  try {
    const make = (count: number, from = 0): object[] =>
      Array.from({ length: count }, (_, index) =>
        inlineFunction(`many-${from + index}`, 'nodejs24.x', { idleTimeoutSeconds: 3600 }),
      );
    for (const platform of [crowded, quiet]) await platform.apply(make(few));
    for (const part of ['gateway', 'controller'] as const) await crowded.restart(part); // without what the start left to be collected
    const before = await settledRssKiB(crowded);
    for (let from = few; from < many; from += 198) await crowded.apply(make(Math.min(198, many - from), from));
    const after = await settledRssKiB(crowded);
    const latencies: Record<'crowded' | 'quiet', number[]> = { crowded: [], quiet: [] };
    for (let round = 0; round <= rounds; round++) {
      const first = round % 2 === 0 ? quiet : crowded; // neither always goes first
      const measured = new Map([[first, await measureLatency(first)]]);
      const second = first === quiet ? crowded : quiet;
      measured.set(second, await measureLatency(second));
      if (round === 0) continue;
      latencies.quiet.push(measured.get(quiet) ?? Number.NaN);
      latencies.crowded.push(measured.get(crowded) ?? Number.NaN);
    }
    const slowdown = summarize(ratios(latencies.crowded, latencies.quiet));
    const perFunctionKiB = (after - before) / (many - few);
    return [
      {
        figure: `RSS of gateway + controller per registered function (${many})`,
        measured: `${perFunctionKiB.toFixed(1)} KiB (${(after / 1024).toFixed(0)} MiB)`,
        floor: `${few} functions ${(before / 1024).toFixed(0)} MiB`,
        target: '≤ 20 KB',
        isMet: perFunctionKiB * 1.024 <= 20,
      },
      {
        figure: `warm p50 with ${many} functions`,
        measured: `${show(summarize(latencies.crowded), 2)} ms; ${show(slowdown, 2)} ×`,
        floor: `with ${few}: ${show(summarize(latencies.quiet), 2)} ms`,
        target: '≤ 1.10 ×',
        isMet: slowdown.median <= 1.1,
      },
    ];
  } finally {
    await crowded.stop();
    await quiet.stop();
  }
}

async function measureLatency(platform: BenchPlatform): Promise<number> {
  const result = await load([platform.invokeUrl('many-0')], { connections: 1, requests });
  if (result.errors > 0) throw new Error(`errors: ${result.lastError}`);
  return result.p50Us / 1000;
}

/** RSS of gateway and controller together: the smallest within eight seconds, what garbage collection leaves. */
async function settledRssKiB(platform: BenchPlatform): Promise<number> {
  let smallest = Number.POSITIVE_INFINITY;
  for (let second = 0; second < 8; second++) {
    await pause(1_000);
    smallest = Math.min(smallest, rssKiB(platform.pid('gateway')) + rssKiB(platform.pid('controller')));
  }
  return smallest;
}
