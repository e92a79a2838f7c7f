import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { nodeFunction } from '../src/functions.ts';
import { InstalledKappa } from '../src/installed.ts';
import { noFindings } from '../src/load/checks.ts';
import { runLoad, type Sample } from '../src/load/load.ts';
import { failures } from '../src/load/summary.ts';

let kappa: InstalledKappa;
const before = Array.from({ length: 8 }, (_, index) => `before-${index}`);
const during = Array.from({ length: 8 }, (_, index) => `during-${index}`);
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
}, 300_000);
beforeEach(async () => {
  await kappa.removeFunctions([...before, ...during, 'crashing']); // what a try before has called is not cold
  for (const name of [...before, ...during]) await kappa.applyLedgerFunction(name, { idleTimeoutSeconds: 30 });
  await kappa.applyReady(nodeFunction('crashing', `throw new Error('this init always fails');`));
  await kappa.poolReady();
}, 300_000);
afterAll(async () => {
  await kappa?.deleteFunctions([...before, ...during, 'crashing']);
  await kappa?.stop();
}, 60_000);

/** First calls of functions, one at a time, each with a full pool. */
const coldStarts = async (names: readonly string[]): Promise<readonly Sample[]> => {
  const samples: Sample[] = [];
  for (const name of names) {
    await kappa.poolReady();
    samples.push(...(await runLoad({ endpoint: kappa.endpoint, functions: [name], ratePerSecond: 1, count: 1 })));
  }
  return samples;
};

const timesMs = (samples: readonly Sample[]): readonly number[] =>
  samples.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
const medianMs = (samples: readonly Sample[]): number => timesMs(samples)[Math.floor(samples.length / 2)] ?? 0;
const worstMs = (samples: readonly Sample[]): number => timesMs(samples).at(-1) ?? 0;

test('S17: a function that crashes in init at 20 calls per second does not slow the cold starts of others', async () => {
  kappa.ledger.clear();
  const alone = await coldStarts(before);
  const stop = new AbortController();
  const crashes = runLoad({
    endpoint: kappa.endpoint,
    functions: ['crashing'],
    ratePerSecond: 20,
    count: 4_000,
    signal: stop.signal,
  });
  const beside = await coldStarts(during).finally(() => stop.abort());
  const crashed = await crashes;
  const text = (samples: readonly Sample[]): string =>
    `median ${Math.round(medianMs(samples))}, worst ${Math.round(worstMs(samples))} ms`;
  process.stdout.write(`S17: cold starts alone ${text(alone)}; beside ${crashed.length} crashes ${text(beside)}\n`);
  for (const samples of [alone, beside]) {
    expect(kappa.verdict('S17', samples)).toEqual(noFindings);
    expect(failures(samples)).toEqual([]);
  }
  expect(crashed.filter(({ status }) => status === 200)).toEqual([]);
  // The median: on two cores the worst of a few is the start of somebody's pod.
  expect(medianMs(beside)).toBeLessThanOrEqual(1.5 * medianMs(alone) + 50);
}, 400_000);
