import { setTimeout as sleep } from 'node:timers/promises';

import type { Context } from './context.ts';
import { type Ending, shutDown } from './shutdown.ts';

/** Whatever still holds the process so long after its end: nobody needs it any more. */
const EXIT_AFTER_MS = 5_000;

/** The end, and for the log the number of callers that it begins with. */
export interface CountedEnding extends Ending {
  readonly inFlight: () => number;
}

/** SIGTERM and SIGINT begin the end. The same signal again: at once. */
export function endOnSignal(context: Context, ending: CountedEnding): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      // One of each is one wish: Ctrl-C reaches the whole group, and then who started this process asks too.
      process.once(signal, () => process.exit(1));
      void end(context, ending, signal);
    });
  }
}

async function end({ config, life, log }: Context, ending: CountedEnding, reason: string): Promise<void> {
  if (life.isEnding) return;
  log.info({ reason, inFlight: ending.inFlight() }, 'ending');
  const { lagMs, graceMs } = config;
  await shutDown(ending, { lagMs, graceMs, sleep: (ms, keepsProcess) => sleep(ms, undefined, { ref: keepsProcess }) });
  log.info('ended');
  setTimeout(() => process.exit(0), EXIT_AFTER_MS).unref();
}
