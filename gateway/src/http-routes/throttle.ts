import { RateLimit } from '../dispatch/rate-limit.ts';
import type { CompiledRoute } from './compiled-route.ts';
import { throttled } from './refusal.ts';

/** What {@link routeThrottle} is made with. */
export interface RouteThrottleDeps {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Gateways that share the callers, >= 1. */
  readonly gateways: () => number;
}

/**
 * Lets requests of a route through as its `throttle` says, or throws RouteRefusal 429. Each gateway lets through an equal part: with callers
 * that come to all gateways alike all together are what the route says; at least one request at once at each.
 *
 * Worked: 10 a second, burst 20, two gateways: each lets 10 through at once, then one each 200 ms.
 */
export function routeThrottle({ nowMs, gateways }: RouteThrottleDeps): (route: CompiledRoute) => void {
  const limits = new WeakMap<CompiledRoute, { readonly gateways: number; readonly limit: RateLimit }>();
  return (route) => {
    const { throttle } = route.spec;
    if (throttle === undefined) return;
    const count = Math.max(1, gateways());
    let known = limits.get(route);
    if (known?.gateways !== count) {
      const perSecond = throttle.ratePerSecond / count;
      const windowMs = (Math.max(1, throttle.burst / count) * 1000) / perSecond;
      known = { gateways: count, limit: new RateLimit(windowMs, perSecond) };
      limits.set(route, known);
    }
    const now = nowMs();
    if (known.limit.isSpent(now)) throw throttled();
    known.limit.take(now);
  };
}
