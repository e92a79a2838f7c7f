import type { Part } from './bench-cluster.ts';
import { functionUrl, timeCall } from './call.ts';
import { readMetrics } from './metrics.ts';

/** How many invocations of a function each gateway has given to pods itself, ever. */
export async function invocationsAt(gateways: readonly Part[], fn: string): Promise<readonly number[]> {
  const series = `kappa_gateway_invocations_total{namespace="default",function="${fn}"}`;
  const metrics = await Promise.all(gateways.map(readMetrics));
  return metrics.map((each) => each.get(series) ?? 0);
}

/** Calls a function by its URL and answers the gateway that gave the call to a pod: its owner. @throws Error when none did */
export async function callForOwner(gateways: readonly Part[], fn: string): Promise<Part> {
  const before = await invocationsAt(gateways, fn);
  await timeCall(functionUrl(gateways[0]?.ip ?? '', fn));
  const after = await invocationsAt(gateways, fn);
  const owner = gateways.find((_, index) => (after[index] ?? 0) > (before[index] ?? 0));
  if (owner === undefined) throw new Error(`no gateway has run ${fn}`);
  return owner;
}

/** How many requests a gateway has given to others, ever, with every result. */
export async function forwardedBy(gateway: Part): Promise<number> {
  const metrics = await readMetrics(gateway);
  const counts = [...metrics].filter(([series]) => series.startsWith('kappa_gateway_forwarded_total{'));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}
