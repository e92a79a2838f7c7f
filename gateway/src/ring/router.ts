import { NoIdleSlot, NotOwner } from '../dispatch/ownership.ts';
import type { Dispatcher, Invocation, Outcome, Target } from '../dispatch/types.ts';
import { RequestAbandoned, ServiceException, TooManyRequests } from '../errors.ts';
import { Elsewhere } from './forward-messages.ts';

/** Runs an invocation. */
export type LocalDispatch = Pick<Dispatcher, 'invoke'>;

/** What the router asks of the ring. */
export interface RoutingRing {
  /** Own name. */
  readonly name: string;
  /** Who may run a request of an own caller; asked once for each try. */
  route(target: Target): Route;
  /** The request of the last `route` was not answered by the function: a function that only fails is not spread over more gateways. */
  discount(target: Target): void;
  /** Runs it at another gateway; rejects with Elsewhere when it did not run. */
  forward(name: string, target: Target, invocation: Invocation, onlyIdle: boolean): Promise<Outcome>;
  /** Resolves when the ring has changed, or after so long. */
  change(timeoutMs: number): Promise<void>;
  /** Pause before a reserved request is tried again; it grows to MAX_RETRY_FACTOR times that. */
  readonly retryMs: number;
  readonly nowMs: () => number;
  readonly retryBudgetMs: number;
  /** That owner was heard just now, and has not said that it has no idle pod of the function. */
  isWorthAsking(name: string, target: Target): boolean;
  noteBusy(name: string, target: Target): void;
}

/** A term to come is not announced, so it is asked for; events may be large. */
const MAX_RETRY_FACTOR = 4;

/** Who may run a function. */
export interface Route {
  /** In their order; the first is the first owner. */
  readonly owners: readonly string[];
  /** This gateway is one of them. */
  readonly isHere: boolean;
  /** The other owners, best first: those of the own zone, then the rest, each in turn. */
  readonly others: readonly string[];
  /** Who would be the next owner; null when that is this gateway, or nobody. */
  readonly next: string | null;
}

/**
 * Where an invocation runs.
 *
 *   function                         | this gateway is               | what happens
 *   without reserved concurrency     | the only owner                | here
 *                                    | one of k owners               | an idle pod here, else one at another owner, else here (claims or queues;
 *                                    |                               | while it waits the dispatcher offers it to the other owners again and again)
 *                                    | no owner                      | with several: an idle pod at one of them, own zone first; then: an
 *                                    |                               | owner, own zone first; then who would follow; then here
 *                                    | no owner any more while it    | all of this again
 *                                    | waited (NotOwner)             |
 *   reserved                         | first owner                   | here; without a term: again when the ring has changed
 *                                    | not                           | first owner; when it is not to be had, or has no term: again
 *
 * Another gateway is only tried when the request provably did not run where it was tried before (Elsewhere, NotOwner, NoIdleSlot).
 * Reserved requests are tried again for `retryBudgetMs` of waiting in all, then throttled. A request that was forwarded is
 * never forwarded again to wait: its receiver hands it to its own dispatcher, and offers it to idle pods only.
 */
export function routedInvoke(ring: RoutingRing, dispatcher: LocalDispatch): LocalDispatch {
  return {
    invoke(target, invocation) {
      if (target.reservedConcurrency !== null) return invokeReserved(ring, dispatcher, target, invocation);
      return invokeUnreserved(ring, dispatcher, target, invocation);
    },
  };
}

/** A request that waits where its function's pods are leaving comes back with each change of the ring: so often at most. */
const maxRoutes = 20;

async function invokeUnreserved(
  ring: RoutingRing,
  dispatcher: LocalDispatch,
  target: Target,
  invocation: Invocation,
): Promise<Outcome> {
  for (let routes = 1; ; routes += 1) {
    const route = ring.route(target);
    try {
      const outcome = await invokeBy(route, ring, dispatcher, target, invocation);
      if (outcome.kind === 'error') ring.discount(target);
      return outcome;
    } catch (error) {
      ring.discount(target);
      if (!(error instanceof NotOwner)) throw error;
      if (routes === maxRoutes) throw movedAway(error);
    }
    refuseAbandoned(invocation);
  }
}

function invokeBy(
  route: Route,
  ring: RoutingRing,
  dispatcher: LocalDispatch,
  target: Target,
  invocation: Invocation,
): Promise<Outcome> {
  if (!route.isHere) return invokeElsewhere(ring, dispatcher, route, target, invocation);
  if (route.owners.length === 1) return dispatcher.invoke(target, invocation);
  return invokeShared(ring, dispatcher, route, target, invocation);
}

function movedAway(cause: NotOwner): ServiceException {
  const message = 'The gateways changed too often while the request waited. It did not run.';
  return new ServiceException(message, { retryAfterSeconds: 1, cause });
}

async function invokeElsewhere(
  ring: RoutingRing,
  dispatcher: LocalDispatch,
  route: Route,
  target: Target,
  invocation: Invocation,
): Promise<Outcome> {
  if (route.others.length > 1) {
    const outcome = await askIdle(ring, route.others, target, invocation);
    if (outcome !== null) return outcome;
  }
  for (const name of route.next === null ? route.others : [...route.others, route.next]) {
    try {
      return await ring.forward(name, target, invocation, false);
    } catch (error) {
      if (!(error instanceof Elsewhere)) throw error;
    }
    refuseAbandoned(invocation);
  }
  return dispatcher.invoke(target, invocation);
}

/** Runs it at the first other owner that has an idle pod; null = none has, as far as it is worth asking. */
export async function askIdle(
  ring: Pick<RoutingRing, 'forward' | 'isWorthAsking' | 'noteBusy'>,
  others: readonly string[],
  target: Target,
  invocation: Invocation,
): Promise<Outcome | null> {
  for (const name of others) {
    if (!ring.isWorthAsking(name, target)) continue;
    try {
      return await ring.forward(name, target, invocation, true);
    } catch (error) {
      if (!(error instanceof Elsewhere)) throw error;
      ring.noteBusy(name, target);
    }
    refuseAbandoned(invocation);
  }
  return null;
}

/** One of several owners: no request waits here while a pod is idle there. */
async function invokeShared(
  ring: RoutingRing,
  dispatcher: LocalDispatch,
  route: Route,
  target: Target,
  invocation: Invocation,
): Promise<Outcome> {
  try {
    return await dispatcher.invoke(target, invocation, { onlyIdle: true });
  } catch (error) {
    if (!(error instanceof NoIdleSlot)) throw error;
  }
  return (await askIdle(ring, route.others, target, invocation)) ?? dispatcher.invoke(target, invocation);
}

async function invokeReserved(
  ring: RoutingRing,
  dispatcher: LocalDispatch,
  target: Target,
  invocation: Invocation,
): Promise<Outcome> {
  let pauseMs = ring.retryMs;
  for (let waitedMs = 0; ; ) {
    const { isHere, owners } = ring.route(target);
    try {
      const [first = ring.name] = owners;
      return await (isHere ? dispatcher.invoke(target, invocation) : ring.forward(first, target, invocation, false));
    } catch (error) {
      if (!(error instanceof NotOwner || error instanceof Elsewhere)) throw error;
    }
    refuseAbandoned(invocation);
    if (waitedMs >= ring.retryBudgetMs) throw new TooManyRequests('ReservedFunctionConcurrentInvocationLimitExceeded');
    const sinceMs = ring.nowMs();
    await ring.change(pauseMs);
    pauseMs = Math.min(pauseMs * 2, ring.retryMs * MAX_RETRY_FACTOR);
    waitedMs += ring.nowMs() - sinceMs;
    refuseAbandoned(invocation);
  }
}

function refuseAbandoned(invocation: Invocation): void {
  if (invocation.isAbandoned?.() === true) throw new RequestAbandoned();
}
