import { hash } from 'node:crypto';

import { readFunctionName } from '../../lambda-api/function-name.ts';
import { traceIdOf } from '../../loops/trace-id.ts';
import { type Functions, resolveQualifier } from '../../registry/functions.ts';
import type { AcceptEvent } from '../accept.ts';
import { boundedRecord } from './record.ts';
import type { Teller, Telling } from './telling.ts';

/** What {@link lambdaTeller} works with. */
export interface LambdaTellerDeps {
  readonly functions: Pick<Functions, 'byName' | 'byObject'>;
  readonly accept: AcceptEvent;
  /** 0..1, for aliases with weights. */
  readonly random: () => number;
}

/**
 * Invokes a function of the same account asynchronously with the record. The chain of calls goes on: who names itself as destination by way of
 * others is stopped as any loop is. The record is an event, and may be as large as one.
 */
export function lambdaTeller({ functions, accept, random }: LambdaTellerDeps): Teller {
  return async (telling) => {
    const { arn, event } = telling;
    const { accountId, name, qualifier } = readFunctionName(arn);
    if (accountId !== event.accountId) throw new Error(`${arn} is of another account`);
    const fn = await functions.byName(event.accountId, name);
    const resolved = fn === undefined ? null : resolveQualifier(fn, qualifier ?? null, random);
    if (resolved === null) throw new Error(`${arn} is not there`);
    const trace = await chainOf(telling, functions);
    await accept(resolved, { requestId: idOf(telling), trace, event: boundedRecord(telling) });
  };
}

/** The trace with which the function itself ran. */
async function chainOf({ event }: Telling, functions: Pick<Functions, 'byObject'>): Promise<string | undefined> {
  const [namespace = '', name = ''] = event.line.split('/');
  const fn = await functions.byObject(namespace, name);
  if (fn === undefined) return event.traceId;
  // A loop that was stopped here has ended; whoever is told of it begins no new run of this function.
  const guard = { ...fn.loops, mayLoop: true };
  return traceIdOf(event.traceId, guard, event.id, event.acceptedMs);
}

/** The same in each delivery: the queue keeps an id only once. */
function idOf({ arn, event, condition }: Telling): string {
  const digits = hash('sha256', `${event.id} ${condition} ${arn}`, 'hex');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
