import { eventually } from './eventually.ts';
import type { InstalledKappa } from './installed.ts';
import { type LoadOptions, runLoad, type Sample } from './load/load.ts';

/** What a steady load is made of. */
export interface SteadyLoad {
  readonly functions: readonly string[];
  readonly ratePerSecond: number;
  /** Each run holds its pod so long. */
  readonly holdMs: number;
}

/** New functions get their pods in that time, seconds: what comes then meets a load that is steady. */
export const warmUpSeconds = 25;

/** No load goes on for longer, seconds. */
const longestSeconds = 900;

/** How long so many runs may take: a minute more than it takes to send them. */
const limitMs = (runs: number, { ratePerSecond }: SteadyLoad): number => (runs / ratePerSecond) * 1000 + 60_000;

/**
 * Does something to the platform while calls come at a fixed rate; begins with an empty ledger, and when the
 * functions are warm.
 *
 * @param action is given what waits until so many more runs have begun
 * @returns what became of each call; the load ends with the action, whatever becomes of that
 */
export async function underLoad(
  kappa: InstalledKappa,
  load: SteadyLoad,
  action: (moreRuns: (count: number) => Promise<void>) => Promise<void>,
): Promise<readonly Sample[]> {
  const { ledger, endpoint } = kappa;
  ledger.clear();
  const stop = new AbortController();
  const count = load.ratePerSecond * longestSeconds;
  const samples = runLoad({ ...load, endpoint, count, signal: stop.signal });
  const moreRuns = async (more: number): Promise<void> => {
    const until = ledger.runs.length + more;
    await eventually(`${more} more runs`, async () => ledger.runs.length >= until, limitMs(more, load));
  };
  try {
    await moreRuns(load.ratePerSecond * warmUpSeconds);
    await action(moreRuns);
  } finally {
    stop.abort();
    await samples; // calls that go on would be in the next try's ledger
  }
  return samples;
}

/**
 * Does something beside a load, with a ledger that knows of nothing else. When `action` fails, the load ends with it.
 *
 * @param action is given what ends the load; else all of its calls are sent
 * @returns what became of each call
 */
export async function besideLoad(
  kappa: InstalledKappa,
  load: Omit<LoadOptions, 'endpoint' | 'signal'>,
  action: (end: () => void) => Promise<void>,
): Promise<readonly Sample[]> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  kappa.ledger.clear();
  const samples = runLoad({ ...load, endpoint: kappa.endpoint, signal: stop.signal });
  try {
    await action(end);
  } catch (error) {
    end();
    await samples; // calls that go on would be in the next try's ledger
    throw error;
  }
  return samples;
}
