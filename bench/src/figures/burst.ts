import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { show, summarize } from '../stats.ts';
import { load } from '../tools.ts';

const burst = 50;

/** 50 functions that have no pod, called for the first time at the same moment, out of a pool of 50. */
export async function coldBurst(rounds: number): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start({ KAPPA_POOL_MIN_REPLICAS: '2' });
  try {
    const nameOf = (round: number, index: number): string => `burst-${round}-${index}`;
    const p50: number[] = [];
    const p99: number[] = [];
    let errors = 0;
    let lastError = '';
    for (let round = 0; round < rounds; round++) {
      const names = Array.from({ length: burst }, (_, index) => nameOf(round, index));
      await kappa.apply(
        names.map((name) => inlineFunction(name, 'nodejs24.x', { idleTimeoutSeconds: 1, timeoutSeconds: 30 })),
      );
      await kappa.fillPool('nodejs24.x', burst);
      const result = await load(
        names.map((name) => kappa.invokeUrl(name)),
        { connections: burst, requests: burst },
      );
      p50.push(result.p50Us / 1000);
      p99.push(result.p99Us / 1000);
      errors += result.errors;
      lastError = result.lastError ?? lastError;
    }
    return [
      {
        figure: `${burst} distinct cold Node functions at once, pool of ${burst}`,
        measured:
          `p50 ${show(summarize(p50), 0)} ms, p99 ${show(summarize(p99), 0)} ms; ${errors} errors ${lastError}`.trim(),
        floor: '–',
        target: 'no error, p99 reported',
        isMet: errors === 0,
      },
    ];
  } finally {
    await kappa.stop();
  }
}
