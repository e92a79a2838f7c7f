import type { Dispatcher, Outcome } from '../dispatch/types.ts';
import { ServiceException } from '../errors.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { RecursiveInvocation } from '../loops/recursive-invocation.ts';
import { traceIdOf } from '../loops/trace-id.ts';
import type { AsyncEvent, AttemptResult } from '../queue/event.ts';
import { type Functions, type Resolved, resolveQualifier } from '../registry/functions.ts';
import type { AttemptOutcome } from './plan.ts';

/** What {@link attempt} works with. */
export interface AttemptDeps {
  readonly functions: Pick<Functions, 'byObject'>;
  /** Whether what is not known does not exist, as far as is known at this moment. */
  readonly hearsOfFunctions: () => boolean;
  /** The way of synchronous requests: the own dispatcher or an owner elsewhere. */
  readonly router: Pick<Dispatcher, 'invoke'>;
  /** 0..1, for aliases with weights. */
  readonly random: () => number;
  /** Hears of every attempt that no function answered. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Of an answer this much is kept for destinations and for people. */
export const MAX_KEPT_BYTES = 256 * 1024;

const UNKNOWN =
  'No such function, version or alias is known, and the cluster does not tell of new ones at this moment.';

/** Runs an event once, if it may. Never rejects. */
export async function attempt(event: AsyncEvent, deps: AttemptDeps): Promise<AttemptOutcome> {
  try {
    const resolved = await resolve(event, deps);
    if (resolved === null && !deps.hearsOfFunctions()) throw new ServiceException(UNKNOWN);
    if (resolved === null) return { kind: 'missing' };
    const { target, loops } = resolved;
    if (target.reservedConcurrency === 0) return { kind: 'ended', condition: 'ZeroReservedConcurrency' };
    const traceId = traceIdOf(event.traceId, loops, event.id, event.acceptedMs);
    const invocation = {
      requestId: event.id,
      invokedFunctionArn: event.invokedArn,
      event: event.payload,
      traceId,
      tail: false,
      isAsync: true,
    };
    return { kind: 'ran', result: resultOf(await deps.router.invoke(target, invocation), target.version) };
  } catch (err) {
    deps.onRefused(err, event.id);
    if (err instanceof RecursiveInvocation) return { kind: 'ended', condition: 'RecursiveInvocationDropped' };
    const { code, status, message } = toLambdaError(err);
    const payload = Buffer.from(JSON.stringify({ errorType: code, errorMessage: message }));
    return { kind: 'refused', result: { statusCode: status, payload } };
  }
}

/** The version that the event means now; null = there is none any more. */
async function resolve({ line, qualifier }: AsyncEvent, { functions, random }: AttemptDeps): Promise<Resolved | null> {
  const [namespace = '', name = ''] = line.split('/');
  const fn = await functions.byObject(namespace, name);
  return fn === undefined ? null : resolveQualifier(fn, qualifier ?? null, random);
}

function resultOf({ kind, payload }: Outcome, executedVersion: string): AttemptResult {
  const isCut = payload.length > MAX_KEPT_BYTES;
  return {
    statusCode: 200,
    executedVersion,
    payload: isCut ? Buffer.from(payload.subarray(0, MAX_KEPT_BYTES)) : payload, // a copy: the rest may go
    ...(isCut && { payloadCut: true }),
    ...(kind === 'error' && { functionError: 'Unhandled' }),
  };
}
