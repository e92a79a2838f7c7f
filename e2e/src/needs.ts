import { test } from '@jest/globals';
import type { Lacks, Need } from './lacks.ts';

/**
 * `test` where the cluster meets the need; else a skipped test that says why: `needing('faults')('S1: …', async () => …)`. With a cluster of
 * the harness nothing is skipped.
 */
export function needing(
  need: Need,
  lacks: Lacks = parseLacks(process.env['KAPPA_E2E_LACKS']),
): (title: string, action: () => Promise<void>, timeoutMs?: number) => void {
  const why = lacks[need];
  return why === undefined ? test : (title, action) => test.skip(`${title} (left out: ${why})`, action);
}

function parseLacks(text: string | undefined): Lacks {
  return text === undefined ? {} : (JSON.parse(text) as Lacks);
}
