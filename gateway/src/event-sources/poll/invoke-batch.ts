import type { AttemptDeps } from '../../async/attempt.ts';
import { toLambdaError } from '../../lambda-api/errors.ts';
import { RecursiveInvocation } from '../../loops/recursive-invocation.ts';
import { traceIdOf } from '../../loops/trace-id.ts';
import { type Resolved, resolveQualifier } from '../../registry/functions.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { InvokeBatch } from './poller.ts';

/** Not known, while the cluster does not tell of functions. */
const UNKNOWN_STATUS = 503;

/** Gives batches to functions on the way that asynchronous invocations go: synchronous callers are served before them. */
export function batchInvoker(deps: AttemptDeps & { readonly now: () => number }): InvokeBatch {
  const { router, onRefused, now } = deps;
  return async (mapping, { requestId, event, traceId: header }) => {
    try {
      const resolved = await resolve(mapping, deps);
      if (resolved === null)
        return deps.hearsOfFunctions() ? { kind: 'missing' } : { kind: 'refused', statusCode: UNKNOWN_STATUS };
      const { target, loops, invokedArn } = resolved;
      if (target.reservedConcurrency === 0) return { kind: 'missing' };
      const traceId = traceIdOf(header, loops, requestId, now());
      const invocation = { requestId, invokedFunctionArn: invokedArn, event, traceId, tail: false, isAsync: true };
      const { kind, payload } = await router.invoke(target, invocation);
      return kind === 'error'
        ? { kind: 'failed', executedVersion: target.version }
        : { kind: 'ran', answer: payload, executedVersion: target.version };
    } catch (err) {
      onRefused(err, requestId);
      if (err instanceof RecursiveInvocation) return { kind: 'looped' };
      return { kind: 'refused', statusCode: toLambdaError(err).status };
    }
  };
}

/** Whether it makes sense to receive anything for a function. */
export async function mayRun(mapping: MappingView, deps: AttemptDeps): Promise<boolean> {
  try {
    const resolved = await resolve(mapping, deps);
    return resolved !== null && resolved.target.reservedConcurrency !== 0;
  } catch {
    return false; // it has no version yet
  }
}

/** The version that the mapping means now; null = there is none any more. */
async function resolve(
  { functionKey, qualifier }: MappingView,
  { functions, random }: Pick<AttemptDeps, 'functions' | 'random'>,
): Promise<Resolved | null> {
  const [namespace = '', name = ''] = functionKey.split('/');
  const fn = await functions.byObject(namespace, name);
  return fn === undefined ? null : resolveQualifier(fn, qualifier, random);
}
