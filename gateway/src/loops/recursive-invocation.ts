import { LambdaError } from '../errors.ts';
import type { LoopGuard } from './loop-guard.ts';

/**
 * A chain of invocations has come back to the function too often. It did not run.
 * @see AWS Lambda API, RecursiveInvocationException
 */
export class RecursiveInvocation extends LambdaError {
  /** Whose call was stopped. */
  readonly guard: LoopGuard;

  /** @param runs what has run in this chain, e.g. `it has run 16 times` */
  constructor(guard: LoopGuard, runs: string) {
    const message = `The function ${guard.arn} is called in a loop: ${runs} in this chain of invocations, so this call was stopped and did not run. When the loop is wanted, set RecursiveLoop of the function to Allow.`;
    super('RecursiveInvocationException', message, { status: 400, fault: 'function' });
    this.guard = guard;
  }
}
