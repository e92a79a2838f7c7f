import { test as jestTest } from '@jest/globals';
import type { Lacks } from './lacks.ts';

/**
 * Jest's `test` for specs that not every cluster can run: `@faults`, `@zones` or `@registry` in the title says what it needs (see Need). On a cluster that
 * lacks it, it is a skipped test that says why; on one of the harness nothing is.
 */
export function test(title: string, action: () => Promise<void>, timeoutMs?: number): void {
  const why = reasonAgainst(title, parseLacks(process.env['KAPPA_E2E_LACKS']));
  if (why === null) jestTest(title, action, timeoutMs);
  // Only on a cluster that somebody has given (KAPPA_E2E_KUBECONFIG): it cannot be broken that way, and the output says so.
  else jestTest.skip(`${title} (left out: ${why})`, action);
}

/** Why the cluster cannot run what the title says; null when it can. */
export function reasonAgainst(title: string, lacks: Lacks): string | null {
  return Object.entries(lacks).find(([need]) => title.includes(`@${need}`))?.[1] ?? null;
}

function parseLacks(text: string | undefined): Lacks {
  return text === undefined ? {} : (JSON.parse(text) as Lacks);
}
